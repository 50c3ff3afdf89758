"""A million requests on one service: does its memory stay flat?"""

from __future__ import annotations

import json
import re
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from services import Client, Service, desk_tickets, keep_model, make_key, service, summed_pss, wrk

# Of 20 requests: 14 tickets, 4 outcomes of tickets that were just scored, one ticket's history, one about the model.
# Every 200th is a batch of 50. Ids and texts never end, so nothing can be kept by key and stay small by accident.
SCRIPT = """
local texts, n, known = {{}}, {first}, {first} + 1010
for line in io.lines("{file}") do texts[#texts + 1] = line end
local headers = {{["Authorization"] = "Bearer {key}", ["Content-Type"] = "application/json"}}
local function ticket(id) return string.format('{{"ticket_id":"T%d","description":%s}}', id, texts[id % #texts + 1]) end
request = function()
  n = n + 1
  local turn = n % 20
  if n % 200 == 0 then
    local batch = {{}}
    for item = 1, 50 do batch[item] = ticket(n * 100 + item) end
    return wrk.format("POST", "/v1/score/batch", headers, '{{"tickets":[' .. table.concat(batch, ",") .. "]}}")
  elseif turn < 14 then
    return wrk.format("POST", "/v1/score", headers, ticket(n))
  elseif n <= known then
    return wrk.format("GET", "/v1/model", headers)
  elseif turn < 18 then
    local body = string.format('{{"ticket_id":"T%d","labels":{{"tier":"L1"}},"source":"closed_untouched"}}', n - 1010)
    return wrk.format("POST", "/v1/outcomes", headers, body)
  elseif turn == 18 then
    return wrk.format("GET", string.format("/v1/tickets/T%d", n - 1010), headers)
  end
  return wrk.format("GET", "/v1/model", headers)
end
"""


def answered(client: Client) -> int:
    """Requests under /v1 that the service counted."""
    status, page = client.get("/metrics")
    if status != 200:
        raise RuntimeError(f"/metrics answered {status}")
    counts = re.findall(rb'triage_requests_total\{[^}]*route="/v1/[^}]*\} ([\d.e+]+)', page)
    return round(sum(map(float, counts)))


def soak(running: Service, key: str, texts: Path, config: dict[str, Any]) -> list[dict[str, float]]:
    """Rounds of load until enough was answered, or SIGTERM; after each, what was counted and the memory."""
    client = Client(running.url, key)
    samples: list[dict[str, float]] = []
    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
    while not samples or (samples[-1]["requests"] < config["requests"] and not told_to_end.is_set()):
        script = SCRIPT.format(first=len(samples) * 1_000_000, file=texts, key=key)
        found = wrk(running.url, script, clients=config["clients"], seconds=config["round_seconds"])
        sample = {
            "requests": answered(client),
            "pss_megabytes": round(summed_pss(running.process.pid), 1),
            "own_megabytes": round(summed_pss(running.process.pid, "Pss_Anon"), 1),
            "failed": found["failed"],
            "per_second": found["per_second"],
            "p99_ms": found["p99_ms"],
        }
        samples.append(sample)
        print(json.dumps(sample), file=sys.stderr, flush=True)
    return samples


def main() -> None:
    """Keep a model, load the service, watch it."""
    run = Run(__file__, __doc__)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "desk"
        tickets = desk_tickets(folder / "made", run.config["tickets"], run.config["seed"])
        keep_model(folder / ".triage", tickets)
        texts = folder / "texts.txt"
        texts.write_text("\n".join(json.dumps(text) for text in tickets["text"]), encoding="utf-8")
        key = make_key(folder)
        with service(folder) as running:
            samples = soak(running, key, texts, run.config)
        size = (folder / ".triage" / "store.db").stat().st_size
    settled = [one for one in samples if one["requests"] >= run.config["warm_up_requests"]] or samples[-1:]
    warm, pss = [one["own_megabytes"] for one in settled], [one["pss_megabytes"] for one in settled]
    results = {
        "requests": int(samples[-1]["requests"]),
        "requests_asked": run.config["requests"],
        "other_than_2xx": int(sum(one["failed"] for one in samples)),
        "own_megabytes_after_warm_up": warm[0],
        "own_megabytes_most": max(warm),
        "own_megabytes_at_the_end": warm[-1],
        "most_against_warm": round(max(warm) / warm[0], 3),
        "end_against_warm": round(warm[-1] / warm[0], 3),
        "pss_megabytes_least": min(pss),
        "pss_megabytes_most": max(pss),
        "store_megabytes": round(size / 1e6),
    }
    rows = [f"| {name.replace('_', ' ')} | {value:,} |" for name, value in results.items()]
    run.write({**results, "samples": samples}, "\n".join(["| | |", "|---|---|", *rows]))


if __name__ == "__main__":
    main()
