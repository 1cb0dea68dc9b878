import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type Decimal, isNegative, isZero, parseDecimal } from '@billstream/kernel';
import {
  type TestGatewayAction,
  type TestGatewayMethod,
  paymentTestPlugin,
  testGatewayActions,
  testGatewayMethods,
  testGatewayStream,
} from '@billstream/payments-domain';
import { paymentTestSleepSecondsMax } from '@billstream/payments-gateways';
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { IsNumber, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { invalidValue, unknownPlugin } from './problems';

/** The plugin's own words, which are not in the platform's case. */
export class ConfigureTestPluginRequest {
  @IsOptional() @IsString() @MaxLength(64) readonly CONFIGURE_ACTION?: string | null;
  /** Names separated by commas; none: all methods. */
  @IsOptional() @IsString() @MaxLength(255) readonly METHODS?: string | null;
  @IsOptional() @IsNumber() @Min(0) @Max(paymentTestSleepSecondsMax) readonly SLEEP_PLUGIN_SEC?: number | null;
  /** Major units; what is processed of whatever is asked for. */
  @IsOptional() @IsNumber() @Max(1e9) readonly AMOUNT?: number | null;
}

const clear = 'ACTION_CLEAR';
const sleep = 'ACTION_SLEEP';

/** Kill Bill's plugin for tests: how it answers is the tenant's own affair, so tests can run side by side. */
@Controller(`plugins/${paymentTestPlugin}`)
export class ConfigureTestPluginEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  /** A mode holds until it is cleared. Answers 200 once the next payment will meet it. */
  @Post('configure')
  @HttpCode(200)
  @ApiOperation({ operationId: 'configureTestPlugin', summary: 'Tell the test plugin how to answer' })
  @ApiOkResponse({ description: 'The next call of the plugin is answered so' })
  async configure(@Body() body: ConfigureTestPluginRequest, @RequestCtx() context: RequestContext): Promise<void> {
    if (!this.payments.hasTestPlugin) throw unknownPlugin(paymentTestPlugin);
    const { tenantId } = context;
    const step = stepOf(context, this.payments, 'configure-test-plugin');
    const command =
      body.CONFIGURE_ACTION === clear
        ? { type: 'ClearTestGateway' as const, data: { tenantId } }
        : { type: 'ConfigureTestGateway' as const, data: { tenantId, ...modeOf(body) } };
    unwrap(await this.payments.testGateway(testGatewayStream(tenantId), command, step), (never) => never);
  }

  @Get('status')
  @ApiOperation({ operationId: 'getTestPluginStatus', summary: 'How the test plugin answers now' })
  @ApiOkResponse({ description: 'By method: the action, the delay in seconds, the amount that is processed' })
  async status(@RequestCtx() { tenantId }: RequestContext): Promise<object> {
    if (!this.payments.hasTestPlugin) throw unknownPlugin(paymentTestPlugin);
    const modes = Object.entries(await this.payments.testGatewayState(tenantId));
    const by = (pick: 'action' | 'sleepSeconds' | 'amount') =>
      Object.fromEntries(modes.flatMap(([method, mode]) => (mode[pick] === null ? [] : [[method, mode[pick]]])));
    return { states: by('action'), sleeps: by('sleepSeconds'), amounts: by('amount') };
  }
}

const modeOf = (body: ConfigureTestPluginRequest) => {
  const amount = amountOf(body);
  const action = actionOf(body);
  const sleepSeconds = body.SLEEP_PLUGIN_SEC ?? null;
  if (action === null && sleepSeconds === null && amount === null)
    throw invalidValue('CONFIGURE_ACTION, SLEEP_PLUGIN_SEC or AMOUNT must be given');
  return { methods: methodsOf(body), action, sleepSeconds, amount };
};

const amountOf = ({ AMOUNT }: ConfigureTestPluginRequest): Decimal | null => {
  const amount = parseDecimal(AMOUNT ?? null);
  if (amount !== null && (isZero(amount) || isNegative(amount))) throw invalidValue('AMOUNT must be positive');
  return amount;
};

const actionOf = ({ CONFIGURE_ACTION: text, SLEEP_PLUGIN_SEC }: ConfigureTestPluginRequest) => {
  if (text == null) return null;
  if (text === sleep) {
    if (SLEEP_PLUGIN_SEC == null) throw invalidValue(`SLEEP_PLUGIN_SEC must be given with ${sleep}`);
    return null;
  }
  const action: TestGatewayAction | undefined = testGatewayActions.find((name) => name === text);
  if (action === undefined)
    throw invalidValue(`CONFIGURE_ACTION must be one of ${[...testGatewayActions, sleep, clear].join(', ')}`);
  return action;
};

const methodsOf = ({ METHODS }: ConfigureTestPluginRequest): readonly TestGatewayMethod[] =>
  (METHODS ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '' && text !== '*')
    .map((text) => {
      const method = testGatewayMethods.find((name) => name === text);
      if (method === undefined) throw invalidValue(`METHODS: ${text} is none of ${testGatewayMethods.join(', ')}`);
      return method;
    });
