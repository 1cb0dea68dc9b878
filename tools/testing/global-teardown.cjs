module.exports = require('./run-postgres.cjs').close;
