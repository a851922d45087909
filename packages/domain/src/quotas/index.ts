// Quotas: how many messages a key and an application may send.
export { createQuotas, type Allowance, type QuotaOptions, type Quotas, type RateQuota } from './quotas.ts'
