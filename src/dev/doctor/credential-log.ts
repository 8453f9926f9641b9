import { AzureLogger, setLogLevel } from '@azure/logger';

/**
 * Listens for which credential of a chain answered: `@azure/identity` tells nobody but its log.
 * https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#enable-and-configure-logging
 */
export function credentialLog(): () => string | undefined {
  let credential: string | undefined;
  setLogLevel('info');
  AzureLogger.log = (...words) => {
    const [, name] = /ChainedTokenCredential => getToken\(\) => Result for (\w+): SUCCESS/.exec(words.join(' ')) ?? [];
    credential = name ?? credential;
  };
  return () => credential;
}
