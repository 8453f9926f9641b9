/** Where the collection is sent, by the name of the environment. Neither holds a key: that one is typed in Postman. */
export const environments = {
  local: environment('local', 'http://127.0.0.1:7071'),
  azure: environment('azure', 'https://YOUR-APP.azurewebsites.net'),
};

function environment(name: string, baseUrl: string): object {
  return {
    name,
    values: [
      { key: 'baseUrl', value: baseUrl, type: 'default', enabled: true },
      { key: 'functionKey', value: '', type: 'secret', enabled: true },
    ],
    _postman_variable_scope: 'environment',
  };
}
