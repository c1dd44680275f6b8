package muster.conformance;

import com.alipay.sofa.registry.client.provider.DefaultServerNode;
import com.alipay.sofa.registry.client.remoting.ServerManager;
import com.alipay.sofa.registry.client.remoting.ServerNode;
import java.util.List;
import java.util.Properties;

/** A server list of one entry, "ip:port?key=value&...", without asking the registry's HTTP list. */
final class FixedServer implements ServerManager {
    private final ServerNode node;

    FixedServer(String url) {
        String[] parts = url.split("\\?", 2);
        String[] address = parts[0].split(":");
        Properties properties = new Properties();
        if (parts.length > 1) {
            for (String pair : parts[1].split("&")) {
                String[] keyValue = pair.split("=", 2);
                properties.setProperty(keyValue[0], keyValue[1]);
            }
        }
        node = new DefaultServerNode(url, address[0], Integer.parseInt(address[1]), properties);
    }

    @Override
    public List<ServerNode> getServerList() {
        return List.of(node);
    }

    @Override
    public ServerNode random() {
        return node;
    }
}
