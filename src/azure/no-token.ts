/** The token did not come within the time there was. */
export class NoTokenInTime extends Error {
  constructor() {
    super('no credential answered in time');
    this.name = 'NoTokenInTime';
  }
}

/** A credential answered with a token that is of no use any more, or this machine's clock is wrong. */
export class ExpiredToken extends Error {
  constructor() {
    super('the token had expired when it came');
    this.name = 'ExpiredToken';
  }
}
