import { createApp } from './app.ts';
import { register } from './functions/register.ts';
import { surviveUnhandledRejections } from './unhandled-rejections.ts';

surviveUnhandledRejections();
const app = createApp(process.env);
register(app);
// Behind registration, which the host waits for.
setImmediate(() => void app.warmUp());
