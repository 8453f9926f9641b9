import { dirname, join } from 'node:path/posix';
import type { BicepFile } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** Every module is a file that is there, and every file hangs from main.bicep. */
export function modules({ main, files }: Template): string[] {
  const reached = new Set<BicepFile>();
  const missing: string[] = [];
  const follow = (file: BicepFile): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { reference } of [...file.all('module'), ...file.all('import')]) {
      const target = files.get(join(dirname(file.name), reference));
      if (target) follow(target);
      else missing.push(`${file.name}: there is no ${reference}`);
    }
  };
  follow(main);
  return [
    ...missing,
    ...[...files.values()].filter((file) => !reached.has(file)).map(({ name }) => `nothing uses ${name}`),
  ];
}
