import packageJson from '../../package.json' with { type: 'json' };

/** The version of this app, from its package.json. */
export const { version } = packageJson;
