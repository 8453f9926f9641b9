import { createApp } from './app.ts';
import { SettingsError } from './config/environment.ts';
import { readSettings } from './config/settings.ts';
import { createCors } from './http/cors.ts';
import { anonymous, tokenGuard } from './server/guard.ts';
import { startServer } from './server/server.ts';
import { readServerSettings } from './server/settings.ts';
import { surviveUnhandledRejections } from './unhandled-rejections.ts';

surviveUnhandledRejections();
try {
  const { settings, faults } = readServerSettings(process.env);
  if (faults.length > 0) throw new SettingsError([...faults, ...faultsOfApp()]);
  const cors = createCors(process.env['CORS_ALLOWED_ORIGINS']);
  const app = createApp(process.env, settings.tokens ? tokenGuard(settings.tokens) : anonymous);
  const server = await startServer(app, settings, cors);
  console.log(`listening on ${server.url}`);
  const stop = (): void => void server.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  void app.warmUp();
} catch (error) {
  // Usually a setting is invalid or the port is in use. The message says which, so no stack is needed.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** The faults of the app's own settings, so that one message lists all faults. */
function faultsOfApp(): SettingsError['faults'] {
  try {
    readSettings(process.env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
}
