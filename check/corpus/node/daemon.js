// A small web server for Node.js without a handler for any signal: that of the runtime ends it.
//
//   node daemon.js PORT
'use strict'

const http = require('http')

const slowFor = 1000 // ms, that /slow takes

const port = process.argv[2]

const server = http.createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (request.url === '/slow') setTimeout(() => response.end('hello\n'), slowFor)
    else response.end('hello\n')
  })
})

server.listen(port, '127.0.0.1', 511)
