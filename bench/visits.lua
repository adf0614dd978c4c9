-- Page views as browsers send them: 80 % from 1,000 returning visitors, 20 % from browsers never seen before.
local site = os.getenv("BENCH_SITE")
local campaigns, returning = {}, {}
for i = 1, 50 do
  campaigns[i] = "https://site.example/page?utm_source=yandex&utm_medium=cpc&utm_campaign=c" .. i .. "&yclid=" .. i
end
for i = 1, 1000 do
  returning[i] = string.format('{"site":"%s","visitor":"%032x","url":"%s","referrer":""}', site, i, campaigns[i % 50 + 1])
end
wrk.method = "POST"
wrk.headers["content-type"] = "text/plain"
wrk.headers["origin"] = "https://site.example"
wrk.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"

function request()
  local body
  if math.random() < 0.8 then
    body = returning[math.random(1000)]
  else
    body = string.format('{"site":"%s","visitor":null,"url":"%s","referrer":""}', site, campaigns[math.random(50)])
  end
  return wrk.format(nil, nil, nil, body)
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('\n{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "errors": %d, "refused": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors,
    summary.errors.status))
end
