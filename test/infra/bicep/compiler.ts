import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Bicep } from 'bicep-node';

const PROGRAM = process.platform === 'win32' ? 'bicep.exe' : 'bicep';

const HOW_TO_GET_IT = `There is no Bicep compiler on this machine. Install it with one of these:
  az bicep install
  dotnet restore test/infra/bicep/bicep.csproj
  https://learn.microsoft.com/azure/azure-resource-manager/bicep/install#install-manually`;

// Without this, the compiler needs ICU on Linux, because it is a .NET program.
process.env['DOTNET_SYSTEM_GLOBALIZATION_INVARIANT'] ??= '1';

/**
 * Finds the compiler on the PATH, from `az bicep install`, or in NuGet's cache, in this order.
 * @throws {Error} if there is none. The message says how to install it
 */
export function findBicep(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, PROGRAM));
  const ofAz = join(process.env['AZURE_CONFIG_DIR'] ?? join(homedir(), '.azure'), 'bin', PROGRAM);
  const cache = process.env['NUGET_PACKAGES'] ?? join(homedir(), '.nuget', 'packages');
  const ofNuGet = globSync(`azure.bicep.commandline.*/*/tools/${PROGRAM}`, { cwd: cache })
    .toSorted((one, other) => other.localeCompare(one, undefined, { numeric: true }))
    .map((path) => join(cache, path));
  const found = [...onPath, ofAz, ...ofNuGet].find(canRun);
  if (!found) throw new Error(HOW_TO_GET_IT);
  return found;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts the compiler as a server, which answers in half a second. A new process takes four. Dispose of it. */
export async function startCompiler(): Promise<Bicep> {
  return Bicep.initialize(findBicep());
}

/** Returns the lines that `bicep lint` and `bicep build` print about a file. They exit with 0 despite warnings. */
export function printedAbout(file: string): string[] {
  const bicep = findBicep();
  const lint = spawnSync(bicep, ['lint', file], { encoding: 'utf8' });
  const build = spawnSync(bicep, ['build', file, '--stdout'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return `${lint.stdout}${lint.stderr}${build.stderr}`.split('\n').filter((line) => line.trim() !== '');
}
