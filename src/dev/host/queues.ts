import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { QueueServiceClient } from '@azure/storage-queue';
import type { App } from './app.ts';
import type { QueueOptions } from './queue-options.ts';
import { type QueueFunction, QueueTrigger, type QueueTriggerOptions } from './queue-trigger.ts';
import type { Binding } from './registry.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Starts the triggers of an app's queue functions, except those that a setting disables.
 * @throws {Error} if the connection of a trigger is not set
 */
export function startQueueTriggers(
  { model, queues }: App,
  options: QueueOptions & Pick<QueueTriggerOptions, 'prepareQueue' | 'log'>,
  variables: Variables,
): QueueTrigger[] {
  return queues
    .filter(({ metadata: { name } }) => !isDisabled(name, variables))
    .map((queueFunction) => {
      const binding = bindingOf(queueFunction);
      const service = queueService(binding.connection ?? 'AzureWebJobsStorage', variables);
      const name = expand(binding.queueName ?? '', variables);
      const [queue, poisonQueue] = [service.getQueueClient(name), service.getQueueClient(`${name}-poison`)];
      return new QueueTrigger(queueFunction, { ...options, queue, poisonQueue, model });
    });
}

function bindingOf({ metadata, trigger }: QueueFunction): Binding {
  const binding = metadata.bindings[trigger];
  if (!binding) throw new Error(`The function '${metadata.name}' has no binding '${trigger}'.`);
  return binding;
}

/**
 * Returns whether a setting disables a function. The real host reads these two names, but none with a double
 * underscore.
 */
function isDisabled(name: string, variables: Variables): boolean {
  const setting = variables[`AzureWebJobs.${name}.Disabled`] ?? variables[`AzureWebJobs_${name}_Disabled`];
  return /^(?:true|1)$/i.test(setting ?? '');
}

/** Creates a client that signs in with an identity. It reads the same settings as the real host. */
function queueService(connection: string, variables: Variables): QueueServiceClient {
  const account = variables[`${connection}__accountName`];
  const url = variables[`${connection}__queueServiceUri`] ?? (account && `https://${account}.queue.core.windows.net`);
  if (!url) {
    throw new Error(
      `A queue trigger's connection is not set. Set ${connection}__queueServiceUri or ${connection}__accountName.`,
    );
  }
  const clientId = variables[`${connection}__clientId`];
  const isManaged = variables[`${connection}__credential`] === 'managedidentity';
  const credential = isManaged
    ? new ManagedIdentityCredential(clientId ? { clientId } : {})
    : new DefaultAzureCredential();
  return new QueueServiceClient(url, credential);
}

/** Replaces each name between percent signs with the value of that setting. */
function expand(text: string, variables: Variables): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => variables[name] ?? '');
}
