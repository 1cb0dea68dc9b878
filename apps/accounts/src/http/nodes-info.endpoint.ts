import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { hostname } from 'node:os';
import { type Accounts, accountsToken } from '../accounts';
import { invalidValue } from './problems';

/** The version of Kill Bill whose API this platform speaks. */
const killBillVersion = '0.24.0';

class NodeCommandRequest {
  @IsOptional() @IsString() @IsNotEmpty() readonly nodeCommandType?: string | null;
}

/** What Kill Bill's clients ask a server about itself; there are no plugins to start or stop. */
@Controller('1.0/kb')
export class NodesInfoEndpoint {
  private readonly bootTime = new Date().toISOString();

  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('nodesInfo')
  nodes() {
    return [
      {
        nodeName: hostname(),
        bootTime: this.bootTime,
        lastUpdatedDate: this.bootTime,
        kbVersion: killBillVersion,
        apiVersion: null,
        pluginApiVersion: null,
        commonVersion: null,
        platformVersion: null,
        pluginsInfo: [],
      },
    ];
  }

  @Get('pluginsInfo')
  plugins() {
    return [];
  }

  @Post('nodesInfo')
  @HttpCode(202)
  command(@Body() { nodeCommandType }: NodeCommandRequest): void {
    if (nodeCommandType === undefined || nodeCommandType === null)
      throw invalidValue('nodeCommandType must not be missing');
    this.accounts.runtime.logger.info({ nodeCommandType }, 'a command to nodes changes nothing here');
  }
}
