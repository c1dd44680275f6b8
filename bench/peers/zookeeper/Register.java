package muster.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * Registers providers as ephemeral nodes, many in one multi(), one of them outstanding on each
 * connection. The lasting folders of the services are made before, and not timed.
 */
final class Register {
    private static final int PER_SERVICE = 10;

    private final List<ZooKeeper> sessions;
    private final int registrations;
    private final int end;
    private final int batch;
    private final int entryBytes;
    private final CountDownLatch done;
    private final long[] took;

    // Under the lock of this object.
    private int next;
    private int finished;

    Register(int port, int connections, int first, int registrations, int batch,
            int entryBytes) throws Exception {
        next = first;
        end = first + registrations;
        this.registrations = registrations;
        this.batch = batch;
        this.entryBytes = entryBytes;
        took = new long[(registrations + batch - 1) / batch];
        done = new CountDownLatch(took.length);
        sessions = Sessions.open(port, connections);
        Sessions.makePath(sessions.get(0), "/services");
        List<Op> folders = new ArrayList<>();
        for (int service = first / PER_SERVICE; service * PER_SERVICE < end; service++) {
            folders.add(create(folder(service), CreateMode.PERSISTENT));
            folders.add(create(folder(service) + "/providers", CreateMode.PERSISTENT));
            if (folders.size() >= 500) {
                sessions.get(0).multi(folders);
                folders.clear();
            }
        }
        sessions.get(0).multi(folders);
    }

    String run() throws InterruptedException {
        long begin = System.nanoTime();
        for (ZooKeeper session : sessions) {
            sendNext(session);
        }
        done.await();
        return "{\"begin\":" + begin + ",\"end\":" + System.nanoTime() + ",\"registered\":"
                + registrations + ",\"batch_ns\":" + Arrays.toString(took) + "}";
    }

    private void sendNext(ZooKeeper session) {
        int first;
        synchronized (this) {
            first = next;
            next = Math.min(end, next + batch);
        }
        if (first == end) {
            return;
        }
        List<Op> creates = new ArrayList<>();
        for (int number = first; number < Math.min(end, first + batch); number++) {
            creates.add(create(folder(number / PER_SERVICE) + "/providers/"
                    + Main.entry(number, entryBytes), CreateMode.EPHEMERAL));
        }
        long sentAt = System.nanoTime();
        session.multi(creates, (status, path, context, results) -> {
            if (status != KeeperException.Code.OK.intValue()) {
                System.err.println("registering: " + KeeperException.Code.get(status));
                System.exit(1);
            }
            synchronized (this) {
                took[finished++] = System.nanoTime() - sentAt;
            }
            sendNext(session);
            done.countDown();
        }, null);
    }

    private static String folder(int service) {
        return "/services/com.example.bench.Service" + service;
    }

    private static Op create(String path, CreateMode mode) {
        return Op.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
    }
}
