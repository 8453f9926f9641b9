import type { Deployment } from '../deployment.ts';
import type { Template } from '../template.ts';

/** The tag by which azd finds where to deploy is on the app only, and names the service of azure.yaml. */
export function serviceTag(deployment: Deployment, { azure }: Template): string[] {
  const tagged = deployment.resources.flatMap(({ type, tags }) => {
    const service = tags?.['azd-service-name'];
    return service === undefined ? [] : [`${type} ${service}`];
  });
  const services = Object.keys(azure.services).map((name) => `Microsoft.Web/sites ${name}`);
  return tagged.join() === services.join() ? [] : [`azure.yaml has ${services.join()}, the tags say ${tagged.join()}`];
}
