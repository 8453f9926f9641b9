import type { Deployment } from '../deployment.ts';
import type { Template } from '../template.ts';

/** Checks that only the apps have the tag by which azd finds them, and that it names the services of azure.yaml. */
export function serviceTag(deployment: Deployment, { azure }: Template): string[] {
  const tagged = deployment.resources.flatMap(({ type, tags }) => {
    const service = tags?.['azd-service-name'];
    return service === undefined ? [] : [`${type} ${service}`];
  });
  const services = Object.entries(azure.services)
    .filter(([, { condition }]) => condition === undefined || deployment.case.jobs)
    .map(([name]) => `Microsoft.Web/sites ${name}`);
  return tagged.join() === services.join() ? [] : [`azure.yaml has ${services.join()}, the tags say ${tagged.join()}`];
}
