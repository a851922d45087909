// Responses compared with what a description says of them.
import { operationsOf, type ApiDocument } from '@push-server/testing'
import { Compile } from 'typebox/schema'

/** What is wrong with the body of a successful response; an operation that is not described is wrong, too. */
export type Described = (method: string, target: string, body: unknown) => unknown[]

export function describedBy(document: ApiDocument): Described {
  const operations = operationsOf(document)
  return (method, target, body) => {
    const [path = ''] = target.split('?')
    const ofMethod = operations.filter((each) => each.method === method)
    const operation =
      ofMethod.find((each) => each.path === path) ?? ofMethod.find((each) => patternOf(each.path).test(path))
    return Compile(operation?.replies['200'] ?? { not: {} }).Errors(body)[1]
  }
}

const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
