import { once } from '../config/once.ts';
import type { Handle, Reply } from '../http/create-handler.ts';
import type { PageSettings } from '../playground/page-settings.ts';
import type { Published } from './route.ts';

/** `GET /api/playground`: answers with a page on which to try the app. */
export function playground(published: Published): Handle {
  return once(async () => page(published));
}

async function page({ limits, authLevel, jobs }: Published): Promise<Reply> {
  const { html, styleHash, scriptHash } = (await import('../playground/page.html')).default;
  const { maxImages, maxImageBytes, maxBodyBytes, maxInstructions, maxOutputTokens } = limits;
  const settings: PageSettings = {
    authLevel,
    jobs,
    maxImages,
    maxImageBytes,
    maxBodyBytes,
    maxInstructions,
    maxOutputTokens,
  };
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(styleHash, scriptHash),
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
    // The JSON has only numbers, an auth level and a container's URL, none of which can contain a single quote.
    body: html.replace('data-settings=""', `data-settings='${JSON.stringify(settings)}'`),
  };
}

/**
 * Allows the page's own style and script, images that the user chose, and requests to this app. Everything else is
 * blocked.
 */
function contentSecurityPolicy(styleHash: string, scriptHash: string): string {
  return [
    `default-src 'none'`,
    `style-src ${styleHash}`,
    `script-src ${scriptHash}`,
    `img-src blob: data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ');
}
