/** What callers of the protected routes must bring: a function key, an Entra token, or nothing. */
export type AuthLevel = 'function' | 'token' | 'anonymous';
