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

/** A schema of which every value of a chain is checked twice at each level. */
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

describe('a schema that would hold the process up', () => {
  const kinds: readonly (readonly [what: string, schema: Schema])[] = [
    ['allOf, which doubles at each level', doubling(40, 'allOf')],
    ['anyOf', doubling(40, 'anyOf', false)],
    ['oneOf', doubling(40, 'oneOf')],
    ['a wide one', doubling(20, 'allOf', { allOf: Array.from({ length: 400 }, (_, i) => ({ not: { const: i } })) })],
  ];

  test.each(some(kinds, 3))('is refused, and others are answered meanwhile: %s', async (_, schema) => {
    let turns = 0;
    const clock = setInterval(() => (turns += 1), 5);
    await expect(prepareSchema(schema)).rejects.toThrow(refused('takes more than 250 ms'));
    clearInterval(clock);
    // A process that is held up has no turn at all until the check has ended.
    expect(turns).toBeGreaterThan(10);
  });

  test('does not spoil the check of the next', async () => {
    const hostile = Array.from({ length: 3 }, async () => prepareSchema(doubling(40, 'allOf')));
    const good = prepareSchema({ type: 'object', properties: { a: { type: 'string' } } });
    expect((await Promise.allSettled(hostile)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(await (await good).read('{"a":"b"}')).toEqual({ data: { a: 'b' } });
    expect(await (await good).read('{"a":1}')).toMatchObject({ fault: expect.stringContaining('does not satisfy') });
  });

  test('by the answer alone is told when the answer has come', async () => {
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

describe('the bounds of a schema', () => {
  test.each([
    ['64 levels deep', nested(64), undefined],
    ['65 levels deep', nested(65), 'nested more than 64 levels'],
    ['100,000 levels deep', nested(100_000), 'nested more than 64 levels'],
    ['120,000 characters', { type: 'object', description: 'x'.repeat(119_000) }, undefined],
    ['more characters', { type: 'object', description: 'x'.repeat(120_000) }, 'more than 120000 characters'],
    ['long names', { type: 'object', properties: { ['x'.repeat(120_000)]: {} } }, 'more than 120000 characters'],
    ['many values', { type: 'object', enum: Array.from({ length: 130_000 }, () => 1) }, 'more than 120000 characters'],
    ['500 references', withReferences(500), undefined],
    ['501 references', withReferences(501), 'more than 500 references'],
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
    ['no object', 'type'],
    ['an array', { type: 'array', items: {} }],
    ['no type', { properties: {} }],
    ['a root $ref', { $ref: '#/definitions/A', definitions: { A: { type: 'object' } } }],
    ['types', { type: ['object', 'null'] }],
    ['a type that is none', { type: 'object', properties: { a: { type: 'text' } } }],
    ['a reference that leads nowhere', { type: 'object', properties: { a: { $ref: '#/$defs/no' } } }],
    ['a reference to itself', { type: 'object', allOf: [{ $ref: '#' }] }],
    ['patternProperties', { type: 'object', patternProperties: { a: {} } }],
  ])('%s is refused at once', async (_, schema) => {
    await expect(prepareSchema(schema)).rejects.toMatchObject({ code: 'invalid_request', status: 400 });
  });

  test('at most ten faults are listed', async () => {
    const properties = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, { type: 'text' }]));
    await expect(prepareSchema({ type: 'object', properties })).rejects.toMatchObject({
      members: { errors: expect.toSatisfy((errors: unknown[]) => errors.length <= 10) },
    });
  });
});

test('the thread does not keep a process alive', async () => {
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

test('the service is asked for its guarantee where it gives one', async () => {
  for (const [schema, strict] of [
    [closed({ a: text }), true],
    [{ type: 'object' }, false],
  ] as const) {
    const { responseFormat } = await prepareSchema(schema);
    expect(responseFormat).toEqual({ type: 'json_schema', json_schema: { name: 'answer', schema, strict } });
  }
});

describe('strict: true is sent', () => {
  test.each<[string, Schema]>([
    ['closed, all required', closed({ a: text })],
    ['without properties', closed({})],
    ['nullable', closed({ a: { type: ['string', 'null'] } })],
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
      'descriptions and a draft',
      closed(
        { a: { ...text, title: 'A', description: 'b' } },
        { $schema: 'https://json-schema.org/draft/2020-12/schema' },
      ),
    ],
    ['bounds of numbers', closed({ a: { type: 'number', minimum: 0, exclusiveMaximum: 9, multipleOf: 0.5 } })],
    ['pattern and format', closed({ a: { ...text, pattern: '^x' }, b: { ...text, format: 'date-time' } })],
    [
      'properties that are named as keywords',
      closed({ default: text, $ref: text, allOf: text, type: text, not: text }),
    ],
    ['10 levels', deep(10)],
    ['1,000 enum values', closed({ a: { type: 'string', enum: values(1_000, 15) } })],
  ])('%s', (_, schema) => {
    expect(strictFault(schema)).toBeUndefined();
    expect(isStrict(schema)).toBe(true);
  });
});

describe('strict: false is sent', () => {
  test.each<[string, Schema]>([
    ['an object of any kind', { type: 'object' }],
    ['an open object', closed({ a: text }, { additionalProperties: true })],
    ['an object that does not say', { type: 'object', properties: { a: text }, required: ['a'] }],
    ['a map', closed({ a: { type: 'object', additionalProperties: text } })],
    ['an object of any kind as a property', closed({ a: { type: 'object' } })],
    ['an open object in an array', closed({ a: { type: 'array', items: { type: 'object', properties: {} } } })],
    ['an open object in anyOf', closed({ a: { anyOf: [text, { type: 'object' }] } })],
    ['an open nullable object', closed({ a: { type: ['object', 'null'], properties: {}, required: [] } })],
    ['an open object in $defs', closed({ a: { $ref: '#/$defs/A' } }, { $defs: { A: { type: 'object' } } })],
    ['an open object in definitions that nobody uses', closed({ a: text }, { definitions: { A: { type: 'object' } } })],
    ['an optional property', closed({ a: text }, { required: [] })],
    ['a required name without its property', closed({ a: text }, { required: ['a', 'b'] })],
    ['anyOf at the top', closed({ a: text }, { anyOf: [closed({ a: text })] })],
    ['any value', closed({ a: {} })],
    ['true', closed({ a: true })],
    ['an array of anything', closed({ a: { type: 'array' } })],
    ['an array of any value', closed({ a: { type: 'array', items: {} } })],
    ['a tuple', closed({ a: { type: 'array', items: text, prefixItems: [text] } })],
    ['a $ref with a description', closed({ a: { $ref: '#/$defs/A', description: 'x' } }, { $defs: { A: text } })],
    ['a $ref elsewhere', closed({ a: text, b: { $ref: '#/properties/a' } })],
    ['a format that is not known', closed({ a: { ...text, format: 'uri' } })],
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

test('whatever is sent as strict, the emulated service takes', () => {
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
  let strict = 0;
  fc.assert(
    fc.property(schema, (each) => {
      const whole = { ...each, $defs: { A: closed({ a: text }) } };
      if (!isStrict(whole)) return;
      strict += 1;
      expect(strictFault(JSON.parse(JSON.stringify(whole)))).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
  expect(strict).toBeGreaterThan(50);
});
