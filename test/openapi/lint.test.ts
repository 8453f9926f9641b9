import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';

// Used as a library, the linter reads only the given document. It uses no network and sends no telemetry.
const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'info-license': 'off', // the service has no license to name
    'operation-4xx-response': 'off', // the GET routes have no input that could be invalid
  },
});

test.each(['function', 'token', 'anonymous'] as const)(
  'the linter reports nothing about the document (%s)',
  async (authLevel) => {
    expect(await lint(openApiDocument({ limits: DEFAULT_LIMITS, authLevel }))).toEqual([]);
  },
);

test('the linter reports a wrong example, an unresolved reference and an unused component', async () => {
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
