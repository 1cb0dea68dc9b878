import { createMetrics } from './metrics';
import { serveMetrics } from './metrics-server';

describe('metrics', () => {
  it('are served as text with their labels', async () => {
    const metrics = createMetrics();
    metrics.http({ service: 'accounts', route: '/1.0/kb/accounts/:id', method: 'GET', code: 200, seconds: 0.004 });
    metrics.relay({ service: 'accounts', position: 12n, lagMs: 1_500 });
    metrics.gauge('payments_unknown', { service: 'payments' }, 2);
    metrics.count('rejections_total', { service: 'payments', code: 'x' }, 1);
    metrics.count('rejections_total', { service: 'payments', code: 'x' }, 2);
    const server = await serveMetrics(metrics, { port: 0 });
    const text = await (await fetch(`http://127.0.0.1:${String(server.port)}/metrics`)).text();
    await server.close();
    expect(text).toContain(
      'http_request_duration_seconds_count{service="accounts",route="/1.0/kb/accounts/:id",method="GET",code="200"} 1',
    );
    expect(text).toContain('relay_oldest_unsent_seconds{service="accounts"} 1.5');
    expect(text).toContain('payments_unknown{service="payments"} 2');
    expect(text).toContain('rejections_total{service="payments",code="x"} 3');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });
});
