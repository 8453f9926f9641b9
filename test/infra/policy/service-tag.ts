import { properties, text } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** The tag by which azd finds where to deploy is on one resource, and names the service of azure.yaml. */
export function serviceTag({ files, azure }: Template): string[] {
  const tagged = [...files.values()]
    .flatMap(({ root }) => root.descendantsOfType('object').flatMap(properties))
    .filter(([key]) => key === 'azd-service-name')
    .map(([, value]) => text(value));
  const services = Object.entries(azure.services)
    .filter(([, { host }]) => host === 'function')
    .map(([name]) => name);
  return tagged.join() === services.join() && services.length === 1
    ? []
    : [`azure.yaml has ${services.join()}, the tag says ${tagged.join()}`];
}
