import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { strictFault } from '../../src/dev/emulator/strict-schema.ts';
import { prepareSchema } from '../../src/vision/output-schema.ts';
import { isStrict } from '../../src/vision/strict-schema.ts';
import { some } from '../tier.ts';

type Schema = Record<string, unknown>;

/** Makes a schema that checks a value twice at each level. So the work doubles with each level. */
function doubling(depth: number, keyword: string, last: Schema | false = {}): Schema {
  const step = (i: number): Schema | false => (i + 1 < depth ? { [keyword]: [ref(i + 1), ref(i + 1)] } : last);
  const ref = (i: number): Schema => ({ $ref: `#/$defs/d${i}` });
  return {
    type: 'object',
    $defs: Object.fromEntries(Array.from({ length: depth }, (_, i) => [`d${i}`, step(i)])),
    allOf: [ref(0)],
  };
}

function nested(depth: number): Schema {
  let schema: Schema = { type: 'object' };
  for (let i = 1; i < depth; i += 1) schema = { type: 'object', not: schema };
  return schema;
}

function refused(message: string) {
  return expect.objectContaining({
    code: 'invalid_request',
    members: { errors: [{ field: expect.stringMatching(/^schema/), message: expect.stringContaining(message) }] },
  });
}

describe('a schema that takes too long to check', () => {
  const kinds: readonly (readonly [what: string, schema: Schema])[] = [
    ['allOf, which doubles at each level', doubling(40, 'allOf')],
    ['anyOf', doubling(40, 'anyOf', false)],
    ['oneOf', doubling(40, 'oneOf')],
    [
      'allOf with 400 branches',
      doubling(20, 'allOf', { allOf: Array.from({ length: 400 }, (_, i) => ({ not: { const: i } })) }),
    ],
  ];

  test.each(some(kinds, 3))('is refused, and does not block the event loop: %s', async (_, schema) => {
    let turns = 0;
    const clock = setInterval(() => (turns += 1), 5);
    await expect(prepareSchema(schema)).rejects.toThrow(refused('takes more than 250 ms'));
    clearInterval(clock);
    // If the check blocked the event loop, the timer would not run before its end.
    expect(turns).toBeGreaterThan(10);
  });

  test('does not affect the check of the next schema', async () => {
    const hostile = Array.from({ length: 3 }, async () => prepareSchema(doubling(40, 'allOf')));
    const good = prepareSchema({ type: 'object', properties: { a: { type: 'string' } } });
    expect((await Promise.allSettled(hostile)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(await (await good).read('{"a":"b"}')).toEqual({ data: { a: 'b' } });
    expect(await (await good).read('{"a":1}')).toMatchObject({ fault: expect.stringContaining('does not satisfy') });
  });

  test('is reported with the answer if it is slow only for this answer', async () => {
    const schema = await prepareSchema({
      ...doubling(40, 'allOf'),
      allOf: [{}],
      properties: { a: { $ref: '#/$defs/d0' } },
    });
    expect(await schema.read('{}')).toEqual({ data: {} });
    expect(await schema.read('{"a": 1}')).toEqual({ fault: expect.stringContaining('more than 250 ms') });
    expect(await schema.read('{}')).toEqual({ data: {} });
  });
});

describe('the limits of a schema', () => {
  test.each([
    ['accepts 64 levels', nested(64), undefined],
    ['refuses 65 levels', nested(65), 'nested more than 64 levels'],
    ['refuses 100,000 levels', nested(100_000), 'nested more than 64 levels'],
    ['accepts almost 120,000 characters', { type: 'object', description: 'x'.repeat(119_000) }, undefined],
    [
      'refuses more than 120,000 characters in a description',
      { type: 'object', description: 'x'.repeat(120_000) },
      'more than 120000 characters',
    ],
    [
      'refuses more than 120,000 characters in a name',
      { type: 'object', properties: { ['x'.repeat(120_000)]: {} } },
      'more than 120000 characters',
    ],
    [
      'refuses more than 120,000 characters in values',
      { type: 'object', enum: Array.from({ length: 130_000 }, () => 1) },
      'more than 120000 characters',
    ],
    ['accepts 500 references', withReferences(500), undefined],
    ['refuses 501 references', withReferences(501), 'more than 500 references'],
  ])('%s', async (_, schema, message) => {
    const prepared = prepareSchema(schema);
    await (message ? expect(prepared).rejects.toThrow(refused(message)) : expect(prepared).resolves.toBeTruthy());
  });

  function withReferences(count: number): Schema {
    const parts = Array.from({ length: count }, (_, i) => [`p${i}`, { $ref: '#/$defs/a' }]);
    return { type: 'object', properties: Object.fromEntries(parts), $defs: { a: { type: 'string' } } };
  }

  test.each([
    ['a list', []],
    ['a string', 'type'],
    ['the type array', { type: 'array', items: {} }],
    ['no type', { properties: {} }],
    ['a root $ref', { $ref: '#/definitions/A', definitions: { A: { type: 'object' } } }],
    ['a list of types', { type: ['object', 'null'] }],
    ['an unknown type in a property', { type: 'object', properties: { a: { type: 'text' } } }],
    ['a reference to a missing definition', { type: 'object', properties: { a: { $ref: '#/$defs/no' } } }],
    ['a reference to itself', { type: 'object', allOf: [{ $ref: '#' }] }],
    ['patternProperties', { type: 'object', patternProperties: { a: {} } }],
  ])('refuses %s', async (_, schema) => {
    await expect(prepareSchema(schema)).rejects.toMatchObject({ code: 'invalid_request', status: 400 });
  });

  test.each(['{"a":"\\ud83d"}', '{"\\ude00":1}', '{"a":[{"b":"\\uD800x"}]}'])(
    'refuses half of a surrogate pair: %s',
    async (json) => {
      const schema = { type: 'object', default: JSON.parse(json) as unknown };
      await expect(prepareSchema(schema)).rejects.toThrow(/surrogate/);
    },
  );

  test.each(['{"a":"\\\\ud83d"}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\\\\\\\ud83d"}'])('takes %s', async (json) => {
    const schema = { type: 'object', default: JSON.parse(json) as unknown };
    expect(await prepareSchema(schema)).toMatchObject({ responseFormat: { json_schema: { schema } } });
  });

  test('lists ten errors at most', async () => {
    const properties = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, { type: 'text' }]));
    await expect(prepareSchema({ type: 'object', properties })).rejects.toMatchObject({
      members: { errors: expect.toSatisfy((errors: unknown[]) => errors.length <= 10) },
    });
  });
});

test('the thread that checks schemas does not keep the process alive', async () => {
  const checker = fileURLToPath(new URL('../../src/vision/schema-checker.ts', import.meta.url));
  const script = `
    import { SchemaChecker } from ${JSON.stringify(checker)};
    console.log(JSON.stringify(await new SchemaChecker().check('{"type":"object"}', '{}')));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  expect(stdout).toBe('{"satisfied":true}\n');
});

const text = { type: 'string' };
function closed(properties: Schema, more: Schema = {}): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false, ...more };
}
function deep(levels: number): Schema {
  return levels === 1 ? closed({ a: text }) : closed({ a: deep(levels - 1) });
}
function wide(count: number): Schema {
  return closed(Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, text])));
}
function values(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i).padStart(length, 'x'));
}

test('asks the service for strict mode only if it supports the schema in strict mode', async () => {
  for (const [schema, strict] of [
    [closed({ a: text }), true],
    [{ type: 'object' }, false],
  ] as const) {
    const { responseFormat } = await prepareSchema(schema);
    expect(responseFormat).toEqual({ type: 'json_schema', json_schema: { name: 'answer', schema, strict } });
  }
});

describe('sends strict: true for', () => {
  test.each<[string, Schema]>([
    ['a closed object whose properties are all required', closed({ a: text })],
    ['an object without properties', closed({})],
    ['a nullable property', closed({ a: { type: ['string', 'null'] } })],
    ['enum', closed({ a: { type: 'string', enum: ['x', 'y'] } })],
    ['const', closed({ a: { type: 'string', const: 'x' } })],
    ['anyOf', closed({ a: { anyOf: [text, closed({ b: text }), { type: 'null' }] } })],
    [
      'nested arrays',
      closed({ a: { type: 'array', items: { type: 'array', items: closed({ b: text }), maxItems: 3 } } }),
    ],
    ['$defs', closed({ a: { $ref: '#/$defs/A' } }, { $defs: { A: closed({ b: text }) } })],
    ['definitions', closed({ a: { $ref: '#/definitions/A' } }, { definitions: { A: closed({ b: text }) } })],
    ['recursion', closed({ children: { type: 'array', items: { $ref: '#' } } })],
    [
      'descriptions and $schema',
      closed(
        { a: { ...text, title: 'A', description: 'b' } },
        { $schema: 'https://json-schema.org/draft/2020-12/schema' },
      ),
    ],
    ['limits of numbers', closed({ a: { type: 'number', minimum: 0, exclusiveMaximum: 9, multipleOf: 0.5 } })],
    ['pattern and format', closed({ a: { ...text, pattern: '^x' }, b: { ...text, format: 'date-time' } })],
    ['properties whose names are keywords', closed({ default: text, $ref: text, allOf: text, type: text, not: text })],
    ['10 levels', deep(10)],
    ['1,000 enum values', closed({ a: { type: 'string', enum: values(1_000, 15) } })],
  ])('%s', (_, schema) => {
    expect(strictFault(schema)).toBeUndefined();
    expect(isStrict(schema)).toBe(true);
  });
});

describe('sends strict: false for', () => {
  test.each<[string, Schema]>([
    ['an object of any kind', { type: 'object' }],
    ['an open object', closed({ a: text }, { additionalProperties: true })],
    ['an object without additionalProperties', { type: 'object', properties: { a: text }, required: ['a'] }],
    ['a map', closed({ a: { type: 'object', additionalProperties: text } })],
    ['an object of any kind as a property', closed({ a: { type: 'object' } })],
    ['an open object in an array', closed({ a: { type: 'array', items: { type: 'object', properties: {} } } })],
    ['an open object in anyOf', closed({ a: { anyOf: [text, { type: 'object' }] } })],
    ['an open nullable object', closed({ a: { type: ['object', 'null'], properties: {}, required: [] } })],
    ['an open object in $defs', closed({ a: { $ref: '#/$defs/A' } }, { $defs: { A: { type: 'object' } } })],
    [
      'an open object in definitions that are not used',
      closed({ a: text }, { definitions: { A: { type: 'object' } } }),
    ],
    ['an optional property', closed({ a: text }, { required: [] })],
    ['a required name without its property', closed({ a: text }, { required: ['a', 'b'] })],
    ['anyOf at the top', closed({ a: text }, { anyOf: [closed({ a: text })] })],
    ['a property of any type', closed({ a: {} })],
    ['a property that is true', closed({ a: true })],
    ['an array without items', closed({ a: { type: 'array' } })],
    ['an array of any value', closed({ a: { type: 'array', items: {} } })],
    ['a tuple', closed({ a: { type: 'array', items: text, prefixItems: [text] } })],
    ['a $ref with a description', closed({ a: { $ref: '#/$defs/A', description: 'x' } }, { $defs: { A: text } })],
    ['a $ref to another property', closed({ a: text, b: { $ref: '#/properties/a' } })],
    ['an unsupported format', closed({ a: { ...text, format: 'uri' } })],
    ['enum without a type', closed({ a: { enum: ['x'] } })],
    ['11 levels', deep(11)],
    ['5,001 properties', wide(5_001)],
    ['1,001 enum values', closed({ a: { type: 'string', enum: values(1_001, 5) } })],
    ['an enum of 251 long values', closed({ a: { type: 'string', enum: values(251, 60) } })],
    ...[
      { default: 'x' },
      { oneOf: [text] },
      { allOf: [text] },
      { not: { const: 'x' } },
      { if: text },
      { else: text },
      { examples: ['x'] },
      { minLength: 1 },
      { maxLength: 1 },
      { $comment: 'x' },
      { nullable: true },
      { deprecated: true },
      { readOnly: true },
    ].map((extra): [string, Schema] => [JSON.stringify(extra), closed({ a: { ...text, ...extra } })]),
    ...[{ uniqueItems: true }, { contains: text }, { minContains: 1 }, { unevaluatedItems: false }].map(
      (extra): [string, Schema] => [JSON.stringify(extra), closed({ a: { type: 'array', items: text, ...extra } })],
    ),
    ...[
      { minProperties: 1 },
      { maxProperties: 1 },
      { propertyNames: text },
      { unevaluatedProperties: false },
      { dependentRequired: { a: ['a'] } },
      { dependentSchemas: { a: {} } },
      { default: {} },
      { $id: 'x' },
    ].map((extra): [string, Schema] => [JSON.stringify(extra), closed({ a: text }, extra)]),
  ])('%s', (_, schema) => {
    expect(isStrict(schema)).toBe(false);
  });
});

test('the emulated service accepts every schema that is sent with strict: true', () => {
  const { schema } = fc.letrec<{ schema: Schema; value: Schema }>((tie) => ({
    schema: fc
      .tuple(
        fc.dictionary(fc.constantFrom('a', 'b', 'type', '$ref'), tie('value'), { maxKeys: 3 }),
        fc.constantFrom(
          {},
          {},
          {},
          { required: [] },
          { additionalProperties: true },
          { default: {} },
          { minProperties: 0 },
        ),
      )
      .map(([properties, more]) => closed(properties, more)),
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom<Schema>(
        text,
        { type: 'integer', minimum: 1 },
        { type: ['string', 'null'] },
        { enum: ['x'] },
        { $ref: '#' },
        { $ref: '#/$defs/A' },
        {},
        { ...text, minLength: 1 },
      ),
      tie('schema'),
      tie('value').map((items) => ({ type: 'array', items })),
      fc.tuple(tie('value'), tie('value')).map((anyOf) => ({ anyOf })),
      fc.tuple(tie('value')).map((oneOf) => ({ oneOf })),
    ),
  }));
  let strictCount = 0;
  fc.assert(
    fc.property(schema, (each) => {
      const whole = { ...each, $defs: { A: closed({ a: text }) } };
      if (!isStrict(whole)) return;
      strictCount += 1;
      expect(strictFault(JSON.parse(JSON.stringify(whole)))).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
  expect(strictCount).toBeGreaterThan(50);
});
