<?php
$cohort = (getenv('COHORT_URL') ?: 'http://127.0.0.1:8080') . '/_cohort/v1/stores';
function post(string $url, array $body, string $token = ''): array {
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_POSTFIELDS => json_encode($body), CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', "X-Auth-Token: $token"]]);
    return [json_decode(curl_exec($curl), true), curl_getinfo($curl, CURLINFO_RESPONSE_CODE)];
}
[$store] = post($cohort, ['ttl' => '10m']);
post("$cohort/$store[hash]/faults", ['operation' => 'createGroup', 'times' => 1, 'action' => ['status' => 503]]);
foreach ([503, 200] as $expected) {
    [, $status] = post("$store[url_v2]/customer_groups", ['name' => 'Wholesale'], $store['token']);
    $status === $expected or throw new Exception("the status is $status, not $expected");
}
[$result, $status] = post("$cohort/$store[hash]/requests/verify", ['criteria' => ['operation' => 'createGroup'], 'times' => 2]);
$status === 200 or throw new Exception($result['detail']);
