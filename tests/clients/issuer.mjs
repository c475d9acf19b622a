// An OpenID Connect issuer on this machine, for tests: node issuer.mjs PORT AUDIENCE < JWKS
//
// A public client for people, who may have any name, and a confidential one for programs.

import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, audience] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}`;
const scopes = ['users:register', 'users:read', 'users:write', 'users:list', 'users:admin'];

const provider = new Provider(url, {
  jwks: JSON.parse(readFileSync(0)),
  scopes: ['openid', ...scopes],
  clients: [
    {
      client_id: 'web',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/signed-in'],
      application_type: 'native',
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: 'program',
      client_secret: 'of-the-tests-only',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  cookies: { keys: ['of-the-tests-only'] },
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: scopes.join(' '),
        audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

provider.listen(Number(port), '127.0.0.1', () => console.log(url));
