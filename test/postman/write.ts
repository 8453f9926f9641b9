/** Writes the files that Postman imports: `node test/postman/write.ts`. */
import { writeFileSync } from 'node:fs';
import { files } from './source/files.ts';

for (const [name, text] of files) writeFileSync(new URL(name, import.meta.url), text);
