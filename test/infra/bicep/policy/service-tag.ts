import type { Deployment } from '../deployment.ts';
import type { Template } from '../template.ts';

/** The tag by which azd finds where to deploy is on the apps only, and names the services of azure.yaml. */
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
