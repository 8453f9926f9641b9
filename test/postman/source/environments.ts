/** The environments: each says where the collection is sent. Neither has a key, which the user enters in Postman. */
export const environments = {
  local: environment('local', 'http://127.0.0.1:7071', 'https://127.0.0.1:10000/devstoreaccount1/images'),
  azure: environment('azure', 'https://YOUR-APP.azurewebsites.net', 'https://ACCOUNT.blob.core.windows.net/CONTAINER'),
};

function environment(name: string, baseUrl: string, container: string): object {
  return {
    name,
    values: [
      { key: 'baseUrl', value: baseUrl, type: 'default', enabled: true },
      { key: 'container', value: container, type: 'default', enabled: true },
      { key: 'functionKey', value: '', type: 'secret', enabled: true },
    ],
    _postman_variable_scope: 'environment',
  };
}
