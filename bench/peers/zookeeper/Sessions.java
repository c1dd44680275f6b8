package muster.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** Sessions with the server, each a client of its own with a connection of its own. */
final class Sessions {
    private static final int TIMEOUT_MS = 40_000;
    private static final int AT_ONCE = 200;

    private Sessions() {}

    static List<ZooKeeper> open(int port, int count) throws Exception {
        List<ZooKeeper> all = new ArrayList<>();
        while (all.size() < count) {
            int some = Math.min(AT_ONCE, count - all.size());
            CountDownLatch connected = new CountDownLatch(some);
            for (int i = 0; i < some; i++) {
                all.add(new ZooKeeper("127.0.0.1:" + port, TIMEOUT_MS, event -> {
                    if (event.getState() == KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                }));
            }
            if (!connected.await(30, TimeUnit.SECONDS)) {
                throw new IllegalStateException("ZooKeeper took no session in 30 s");
            }
        }
        return all;
    }

    /** Makes a path of lasting nodes, as far as it is not there. */
    static void makePath(ZooKeeper session, String path) throws Exception {
        for (int end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
            String part = end < 0 ? path : path.substring(0, end);
            try {
                session.create(part, null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            } catch (KeeperException.NodeExistsException ignored) {
                // made before
            }
            if (end < 0) {
                return;
            }
        }
    }
}
