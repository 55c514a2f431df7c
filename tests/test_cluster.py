"""What was sent to a Dask cluster is sent anew when the only copy of it is lost with a worker."""

import os
import signal
import time

import pytest

from geo_cluster.cluster import NoWorkerError, Sent


def added(content, piece):
    time.sleep(0.2)
    return content + piece


@pytest.mark.slow
def test_the_only_copy_is_lost_with_its_worker_and_sent_anew(cluster):
    _, client = cluster
    sent = Sent(client, 1000)
    pids = client.run(os.getpid)
    (holder, *others) = client.who_has(sent.there)[sent.there.key]
    for other in others:  # as the cluster's memory manager does when nobody needs it just now
        client.run_on_scheduler(
            lambda dask_scheduler, key, at: dask_scheduler.request_remove_replicas(at, [key], stimulus_id="test"),
            key=sent.there.key,
            at=other,
        )
    while len(client.who_has(sent.there)[sent.there.key]) > 1:
        time.sleep(0.05)
    tasks = [sent.submit(added, piece) for piece in range(8)]
    os.kill(pids[holder], signal.SIGKILL)
    assert [task.result() for task in tasks] == list(range(1000, 1008))
    (last,) = client.nthreads()
    os.kill(pids[last], signal.SIGKILL)
    while client.nthreads():
        time.sleep(0.05)
    with pytest.raises(NoWorkerError):
        sent.anew(sent.there)
