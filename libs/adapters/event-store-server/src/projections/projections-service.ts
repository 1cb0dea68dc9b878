import { unsupported } from '../protocol/failures';
import type { Outlet } from '../protocol/calls';
import { decode, EMPTY, message, messageField, numberField, textField } from '../protocol/wire';
import type { ProjectionStatus, SystemProjections } from './system-projections';

const PROGRESS_TAG = 0x6d;

const progressField = (progress: number): Buffer => {
  const buffer = Buffer.alloc(5);
  buffer[0] = PROGRESS_TAG;
  buffer.writeFloatLE(progress, 1);
  return buffer;
};

const detailsOf = ({ name, enabled, position, progress }: ProjectionStatus): Buffer => {
  const place = textField(12, `C:${position}/P:${position}`);
  const status = textField(8, enabled ? 'Running' : 'Stopped');
  return message(
    messageField(
      1,
      textField(4, name),
      status,
      textField(10, name),
      textField(11, 'Continuous'),
      place,
      progressField(progress),
      textField(14, `C:${position}/P:${position}`),
      numberField(15, position),
    ),
  );
};

const nameIn = (request: Buffer): string => decode(request).message(1).text(1);

export const enableProjection = async (projections: SystemProjections, request: Buffer): Promise<Buffer> => {
  await projections.enable(nameIn(request));
  return EMPTY;
};

export const disableProjection = async (projections: SystemProjections, request: Buffer): Promise<Buffer> => {
  await projections.disable(nameIn(request));
  return EMPTY;
};

export const restartProjections = async (projections: SystemProjections): Promise<Buffer> => {
  await projections.restart();
  return EMPTY;
};

/** Modes: 1 by name, 2 all, 4 continuous; the others have no members here. */
export const projectionStatistics =
  (projections: SystemProjections) =>
  async (request: Buffer, outlet: Outlet): Promise<void> => {
    const options = decode(request).message(1);
    const listed = options.has(2) || options.has(4) ? projections.status() : [];
    const found = options.has(1) ? projections.status(options.text(1)) : listed;
    for (const status of found) await outlet.send(detailsOf(status));
    outlet.end();
  };

export const noCustomProjections = (): never => {
  throw unsupported('A projection in JavaScript');
};
