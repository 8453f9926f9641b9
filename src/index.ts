import { createApp } from './app.ts';
import { register } from './functions/register.ts';
import { surviveUnhandledRejections } from './unhandled-rejections.ts';

surviveUnhandledRejections();
const app = createApp(process.env);
register(app);
// The host waits for registration, so warm up only after it.
setImmediate(() => void app.warmUp());
