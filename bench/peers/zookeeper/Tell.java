package muster.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * A list of providers as children of a node, and clients that watch it as discovery on ZooKeeper
 * does: a watch on the children fires once, the client reads the list again and watches anew. Who
 * reads a list of the expected length was told of the change.
 */
final class Tell {
    private static final String FOLDER = "/services/com.example.bench.Told/providers";

    private final int port;
    private final int entries;
    private final int entryBytes;
    private final List<Client> clients = new ArrayList<>();
    private final List<Long> begin = new ArrayList<>();
    private final List<long[]> toldAt = new ArrayList<>();
    private ZooKeeper publisher;

    // Under the lock of this object.
    private int told;
    private int changes;
    private long[] now = new long[0];
    private CountDownLatch firstLists;

    Tell(int port, int entries, int entryBytes) {
        this.port = port;
        this.entries = entries;
        this.entryBytes = entryBytes;
    }

    void prepare() throws Exception {
        publisher = Sessions.open(port, 1).get(0);
        Sessions.makePath(publisher, FOLDER);
        for (int i = 0; i < entries; i++) {
            create(i);
        }
        Main.say("{\"prepared\":true}");
    }

    void watch(int count) throws Exception {
        List<ZooKeeper> sessions = Sessions.open(port, count - clients.size());
        firstLists = new CountDownLatch(sessions.size());
        for (ZooKeeper session : sessions) {
            Client client = new Client(session);
            clients.add(client);
            client.read();
        }
        if (!firstLists.await(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("some clients were not shown the list in 60 s");
        }
        synchronized (this) {
            now = new long[count];
        }
        Main.say("{\"watching\":" + count + "}");
    }

    /** Odd changes join one to the list, even ones take it out again. */
    void change(int number) throws Exception {
        begin.add(System.nanoTime());
        if (number % 2 == 1) {
            create(entries);
        } else {
            publisher.delete(FOLDER + "/" + Main.entry(entries, entryBytes), -1);
        }
    }

    synchronized String times() {
        StringBuilder text = new StringBuilder("{\"begin\":" + begin + ",\"told_at\":[");
        for (int i = 0; i < toldAt.size(); i++) {
            text.append(i == 0 ? "" : ",").append(Arrays.toString(toldAt.get(i)));
        }
        begin.clear();
        toldAt.clear();
        return text.append("]}").toString();
    }

    private void create(int number) throws Exception {
        publisher.create(FOLDER + "/" + Main.entry(number, entryBytes), new byte[0],
                ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    }

    private synchronized void told(long at) {
        now[told++] = at;
        if (told == clients.size()) {
            toldAt.add(now);
            now = new long[told];
            told = 0;
            Main.say("{\"told\":" + ++changes + "}");
        }
    }

    private final class Client implements Watcher {
        private final ZooKeeper session;
        private int held = -1;  // entries of the last list; used by the client's event thread only

        Client(ZooKeeper session) {
            this.session = session;
        }

        void read() {
            session.getChildren(FOLDER, this, (status, path, context, children) -> {
                long at = System.nanoTime();
                if (status != KeeperException.Code.OK.intValue()) {
                    System.err.println("reading the list: " + KeeperException.Code.get(status));
                    System.exit(1);
                }
                boolean first = held < 0;
                boolean other = held != children.size();
                held = children.size();
                if (first) {
                    firstLists.countDown();
                } else if (other) {
                    told(at);
                }
            }, null);
        }

        @Override
        public void process(WatchedEvent event) {
            if (event.getType() == Event.EventType.NodeChildrenChanged) {
                read();
            }
        }
    }
}
