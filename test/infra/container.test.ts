import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service, ServiceAccount } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ROUTES } from '../../src/routes/routes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(`${ROOT}infra/container/${name}`, 'utf8');
const dockerfile = read('Dockerfile');
const documents = parseAllDocuments(read('aks.yaml'));
const manifest = documents.map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as { kind: string; spec: Record<string, never> };
});
const publicPaths = new Set([
  '/readyz',
  ...ROUTES.filter(({ isPublic }) => isPublic).map(({ path }) => `/api/${path}`),
]);

test('the image has the build but no package manager, does not run as root, and listens on all interfaces', () => {
  const final = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  expect(final).toContain('COPY --from=build /src/dist ./\n');
  expect(final).toMatch(/^USER 1000:1000$/m);
  expect(final).toMatch(/rm -rf .*node_modules .*npm/);
  expect(final).toContain('HOST=0.0.0.0 PORT=8080');
  expect(dockerfile).not.toMatch(/API_KEY|CLIENT_SECRET|PASSWORD|CONNECTION_STRING/);
  const [, names = ''] = /^COPY (host.json .*) \.\/$/m.exec(dockerfile) ?? [];
  for (const name of [...names.split(' '), 'package-lock.json', 'src'])
    expect(existsSync(`${ROOT}${name}`), name).toBe(true);
});

test.each(['container-app.bicep', 'aks.yaml'])('the probes of %s use paths that need no token', (file) => {
  const paths = [...read(file).matchAll(/path: '?([\w/.-]+)'?/g)].map(([, path]) => path ?? '');
  expect(paths).toHaveLength(3);
  expect(paths.filter((path) => !publicPaths.has(path))).toEqual([]);
  expect(paths).toContain('/readyz');
});

test('every object in the manifest satisfies the schema of Kubernetes', () => {
  const parts = [ServiceAccount, Deployment, Service, PodDisruptionBudget, HorizontalPodAutoscaler];
  expect(documents).toHaveLength(parts.length);
  for (const [at, Part] of parts.entries()) expect(() => new Part(documents[at]?.toJS()).validate()).not.toThrow();
});

test('the manifest has five objects, its selectors match its pods, and the pods do not run as root', () => {
  expect(manifest.map(({ kind }) => kind)).toEqual([
    'ServiceAccount',
    'Deployment',
    'Service',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
  ]);
  const [, deployment, service, budget, autoscaler] = manifest;
  expect(deployment?.spec).toMatchObject({
    selector: { matchLabels: { app: 'keyless-vision' } },
    template: {
      metadata: { labels: { app: 'keyless-vision', 'azure.workload.identity/use': 'true' } },
      spec: {
        securityContext: { runAsNonRoot: true },
        containers: [{ securityContext: { readOnlyRootFilesystem: true } }],
      },
    },
  });
  expect(service?.spec).toMatchObject({ selector: { app: 'keyless-vision' } });
  expect(budget?.spec).toMatchObject({ selector: { matchLabels: { app: 'keyless-vision' } } });
  expect(autoscaler?.spec).toMatchObject({ scaleTargetRef: { kind: 'Deployment', name: 'keyless-vision' } });
});
