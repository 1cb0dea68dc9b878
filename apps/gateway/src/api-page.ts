import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The files of Swagger UI that the page needs, served from the installed package: the page works without a network. */
const assets: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

const folder = (): string => path.dirname(createRequire(__filename).resolve('swagger-ui-dist/package.json'));

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Billstream API</title>
    <link rel="icon" href="/api-page/favicon-32x32.png" />
    <link rel="stylesheet" href="/api-page/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/api-page/swagger-ui-bundle.js"></script>
    <script src="/api-page/start.js"></script>
  </body>
</html>
`;
const start = `window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: true });\n`;
const policy = `default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'`;

const send = (response: ServerResponse, type: string, body: string | Buffer): true => {
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
  return true;
};

/** Answers `/api.html` and the files it loads; false: the path is another. */
export const answerApiPage = async (requested: string, response: ServerResponse): Promise<boolean> => {
  if (requested === '/api.html') return send(response, 'text/html; charset=utf-8', page);
  if (!requested.startsWith('/api-page/')) return false;
  const name = requested.slice('/api-page/'.length);
  if (name === 'start.js') return send(response, 'text/javascript; charset=utf-8', start);
  const type = assets.get(name);
  return type === undefined ? false : send(response, type, await readFile(path.join(folder(), name)));
};
