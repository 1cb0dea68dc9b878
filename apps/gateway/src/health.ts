import type { ServerResponse } from 'node:http';
import { answerJson } from './answers';
import type { Upstreams } from './dispatch';

type Readiness = { readonly service: string; readonly ready: boolean; readonly message: string };

const probeMs = 3_000;

/** Asks every service whether it is ready; one that does not answer is not. */
const readiness = (upstreams: Upstreams): Promise<readonly Readiness[]> =>
  Promise.all(
    Object.entries(upstreams).map(async ([service, dispatch]) => {
      try {
        const late = new Promise<never>((_, reject) => {
          setTimeout(() => {
            reject(new Error('no answer'));
          }, probeMs).unref();
        });
        const { status, body } = await Promise.race([
          dispatch.call({ method: 'GET', path: '/health/ready', headers: {} }),
          late,
        ]);
        return {
          service,
          ready: status === 200,
          message: status === 200 ? 'ready' : body.toString('utf8').slice(0, 500),
        };
      } catch (error) {
        return { service, ready: false, message: error instanceof Error ? error.message : String(error) };
      }
    }),
  );

/** Answers the health paths; false: the path is another. None needs credentials. */
export const answerHealth = async (path: string, response: ServerResponse, upstreams: Upstreams): Promise<boolean> => {
  switch (path) {
    case '/health/live':
      answerJson(response, 200, { status: 'live' });
      return true;
    case '/health/ready': {
      const services = await readiness(upstreams);
      const waitingFor = services.filter(({ ready }) => !ready).map(({ service }) => service);
      const isReady = waitingFor.length === 0;
      answerJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not-ready', waitingFor, services });
      return true;
    }
    case '/1.0/healthcheck': {
      const services = await readiness(upstreams);
      const checks = services.map(({ service, ready, message }) => [
        service,
        { healthy: ready, message: ready ? null : message },
      ]);
      answerJson(response, services.every(({ ready }) => ready) ? 200 : 500, Object.fromEntries(checks));
      return true;
    }
    default:
      return false;
  }
};
