// The corpus' daemons for Node.js: a small web server that stops well or, with the name of a fault, is broken in one way.
//
//   node daemon.js PORT [FAULT]
'use strict'

const http = require('http')

const slowFor = 1000 // ms, that /slow takes
const queueFor = 300 // ms without a new connection: the queue is empty

const [port, fault] = process.argv.slice(2)
let asked = false

const server = http.createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (asked) response.setHeader('Connection', 'close')
    if (request.url === '/slow') setTimeout(() => response.end('hello\n'), slowFor)
    else response.end('hello\n')
  })
})

function stop () {
  if (asked) return
  asked = true
  let quiet = setTimeout(close, queueFor) // what waits in the queue is accepted first
  server.on('connection', () => {
    clearTimeout(quiet)
    quiet = setTimeout(close, queueFor)
  })
}

function close () {
  server.close(() => process.exit(0))
}

if (fault !== 'no-handler') {
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
server.listen(port, '127.0.0.1', 511)
