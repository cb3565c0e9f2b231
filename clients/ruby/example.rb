require 'json'
require 'net/http'

cohort = ENV.fetch('COHORT_URL', 'http://127.0.0.1:8080') + '/_cohort/v1/stores'
post = ->(url, body, token = '') { Net::HTTP.post(URI(url), body.to_json, 'Content-Type' => 'application/json', 'X-Auth-Token' => token) }

store = JSON.parse(post.(cohort, { ttl: '10m' }).body)
post.("#{cohort}/#{store['hash']}/faults", { operation: 'createGroup', times: 1, action: { status: 503 } })
statuses = Array.new(2) { post.(store['url_v2'] + '/customer_groups', { name: 'Wholesale' }, store['token']).code }
statuses == %w[503 200] or abort "the statuses are #{statuses}"
verified = post.("#{cohort}/#{store['hash']}/requests/verify", { criteria: { operation: 'createGroup' }, times: 2 })
verified.code == '200' or abort verified.body
