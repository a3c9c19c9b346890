"""A file of rules with an example of each: what ``tallystick rules sample`` prints."""

SAMPLE = r"""# Rules of names: each new name goes through them in their order, each sees what the ones before it made.
# Name the file in the config (rules_file = "rules.toml", above all tables), look it over with 'tallystick check rules
# FILE' and at a name with 'tallystick rules explain NAME --file FILE'. A server notices within seconds when it changes.

# What nobody wants is dropped, and counted in the ledger as blocked.
[[rules]]
match = "*.debug.*"
block = true

# Rename: a regular expression and what stands in its place. \1 is what the first group found, and {environment} {class}
# {host} {peer} {protocol} {kind} {type} {name} {sent} are filled in.
[[rules]]
match = "collectd.*"
rewrite = '^collectd\.([^.]+)\. -> hosts.\1.'

# Who sends: the host by its address, its class and environment by its name.
[[rules]]
source = ["10.1.0.0/16"]
hosts = { '^10\.1\.2\.(\d+)$' = 'web\1' }
[[rules]]
classes = { '^(\w+?)\d+$' = '\1', '' = 'other' }
environments = { '-stage' = 'stage', '' = 'prod' }

# Names by source: what StatsD brings lies below the host that sent it ...
[[rules]]
source = ["statsd"]
prefix = '{environment}.hosts.{class}.{host}'

# ... and what adds up (counters, timings, sets) below the application as well, for all hosts together.
[[rules]]
source = ["statsd"]
multiplex = ['{environment}.apps.{sent}']

# A line of carbon's aggregation-rules.conf; keep = false beside it keeps the inputs nowhere else.
[[rules]]
aggregate = "<env>.all.load (60) = avg <env>.hosts.*.*.load"

# What follows is not for these.
[[rules]]
match = "tallystick.*"
stop = true

# Carbon's own files are read as they are.
# [[rules]]
# blacklist = "/etc/carbon/blacklist.conf"
# [[rules]]
# rewrite_rules = "/etc/carbon/rewrite-rules.conf"
# [[rules]]
# aggregation_rules = "/etc/carbon/aggregation-rules.conf"
"""
