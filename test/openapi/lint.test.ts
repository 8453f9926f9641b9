import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';

// The linter as a library reads what it is given and no more: no network, no telemetry.
const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'info-license': 'off', // there is none to name
    'operation-4xx-response': 'off', // the GET routes take nothing that could be wrong
  },
});

test.each(['function', 'token', 'anonymous'] as const)(
  'a linter finds nothing wrong with the document (%s)',
  async (authLevel) => {
    expect(await lint(openApiDocument({ limits: DEFAULT_LIMITS, authLevel }))).toEqual([]);
  },
);

test('and it would: an example that does not match, a reference to nothing, a component that nobody uses', async () => {
  const document = openApiDocument({ limits: DEFAULT_LIMITS, authLevel: 'function' });
  document.paths = { '/health': document.paths?.['/health'] ?? {} };
  document.components = {
    ...document.components,
    schemas: { Broken: { type: 'string', examples: [1] }, Lost: { $ref: '#/components/schemas/Nowhere' } },
  };
  const found = await lint(document);
  expect(found).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/no-invalid-schema-examples/),
      expect.stringMatching(/no-unresolved-refs/),
      expect.stringMatching(/no-unused-components/),
    ]),
  );
});

async function lint(document: object): Promise<string[]> {
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`);
}
