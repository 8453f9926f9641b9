import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The extension, and the only one of its libraries that the Functions host does not have. Both are under the MIT
 * license.
 */
export const PACKAGES = [
  { name: 'Microsoft.Azure.WebJobs.Extensions.Storage.Queues', version: '5.3.10' },
  { name: 'Azure.Storage.Queues', version: '12.24.0' },
] as const;

/**
 * The content of extensions.json, in which the host finds extensions. Normally, Microsoft's build tools generate it.
 */
const EXTENSIONS = {
  extensions: [
    {
      name: 'AzureStorageQueues',
      typeName:
        'Microsoft.Azure.WebJobs.Extensions.Storage.AzureStorageQueuesWebJobsStartup, ' +
        'Microsoft.Azure.WebJobs.Extensions.Storage.Queues, Version=5.3.10.0, Culture=neutral, ' +
        'PublicKeyToken=92742159e12e44c8',
    },
  ],
};

/** PackageDownload downloads a package without its dependencies, which the host already has. */
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup>
${PACKAGES.map(({ name, version }) => `    <PackageDownload Include="${name}" Version="[${version}]" />`).join('\n')}
  </ItemGroup>
  <Target Name="CopyTo">
    <Copy SourceFiles="${PACKAGES.map(libraryOf).join(';')}" DestinationFolder="$(Folder)" />
  </Target>
</Project>
`;

const NEEDS_DOTNET =
  'VISION_JOBS is true, so the package needs the extension of the Functions host for storage queues. The .NET ' +
  'SDK downloads it from NuGet, ' +
  'but the SDK is not installed. Install it (https://dot.net/download, version 8 or newer), or set VISION_JOBS ' +
  'to false.';

/**
 * Downloads the extension for storage queues into `bin/`, where the Functions host looks for it. The alternative is an
 * extension bundle, which the host downloads on every new instance. If that download fails, the host answers 503 to
 * every request.
 * @throws {Error} if the .NET SDK is not installed, or if the download fails
 */
export async function queueExtension(bin: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'queue-extension-'));
  try {
    const project = join(scratch, 'extension.csproj');
    await writeFile(project, PROJECT);
    await dotnet(
      'msbuild',
      project,
      '-restore',
      '-target:CopyTo',
      `-property:Folder=${bin}`,
      '-nologo',
      '-verbosity:quiet',
    );
  } finally {
    await rm(scratch, { recursive: true });
  }
  await writeFile(join(bin, 'extensions.json'), `${JSON.stringify(EXTENSIONS, null, 2)}\n`);
  await cp(new URL('missing-licences/azure-sdk-for-net.txt', import.meta.url), join(bin, 'LICENSE'));
}

function libraryOf({ name, version }: (typeof PACKAGES)[number]): string {
  return `$(NuGetPackageRoot)/${name.toLowerCase()}/${version}/lib/netstandard2.0/${name}.dll`;
}

async function dotnet(...args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('dotnet', args, {
      env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
    });
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if ('code' in failure && failure.code === 'ENOENT') throw new Error(NEEDS_DOTNET, { cause: error });
    const said = 'stdout' in failure ? String(failure.stdout) : failure.message;
    throw new Error(`The extension for storage queues could not be downloaded from NuGet.\n${said}`, { cause: error });
  }
}
