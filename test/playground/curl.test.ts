import { execFileSync } from 'node:child_process';
import { assert, constantFrom, property, string, stringMatching } from 'fast-check';
import { expect, test } from 'vitest';
import { curlCommand } from '../../src/playground/curl.ts';

const ADDRESS = 'https://app.example/api/processImage';

test('writes each option on its own line', () => {
  const command = curlCommand({
    url: ADDRESS,
    fields: [['instructions', "What's this?"]],
    fileNames: ['boat.jpg'],
    header: 'x-functions-key: $FUNCTION_KEY',
  });
  expect(command).toBe(
    [
      `curl -N 'https://app.example/api/processImage' \\`,
      `  -H 'Accept: text/event-stream' \\`,
      `  -H 'Transfer-Encoding: chunked' \\`,
      `  -H "x-functions-key: $FUNCTION_KEY" \\`,
      `  --form-string 'instructions=What'\\''s this?' \\`,
      `  -F 'image=@boat.jpg'`,
    ].join('\n'),
  );
});

test('quotes any question and file name so that a shell passes them to curl unchanged', () => {
  const word = string({ unit: constantFrom(...`a-'"\\\n;,$\`!@<> é*(){}`.split('')), minLength: 1 });
  assert(
    property(word, stringMatching(/^[\w .'$`!-]+$/), (question, fileName) => {
      const command = curlCommand({
        url: ADDRESS,
        fields: [['instructions', question]],
        fileNames: [fileName],
        header: undefined,
      });
      const words = execFileSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${command}`], {
        encoding: 'utf8',
      }).split('\0');
      expect(words).toEqual([
        '-N',
        ADDRESS,
        '-H',
        'Accept: text/event-stream',
        '-H',
        'Transfer-Encoding: chunked',
        '--form-string',
        `instructions=${question}`,
        '-F',
        `image=@${fileName}`,
        '',
      ]);
    }),
    { numRuns: 50 },
  );
});
