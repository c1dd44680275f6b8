#include "runtime/links/cluster_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/links/links_test_env.h"

namespace muster::runtime {
namespace {

using msg::LinkEvent;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

class Role_ final : public msg::Receiver {
public:
    std::vector<std::pair<msg::RoleAddress, std::uint64_t>> seen;
    std::vector<std::pair<NodeId, LinkEvent>> links;

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override {
        seen.emplace_back(from, std::get<msg::ChangeBatch>(message).seq);
    }
    void on_link(const NodeId& node, LinkEvent event) override {
        links.emplace_back(node, event);
    }
};

struct Process {
    Process(Loop& loop, const ClusterLinksOptions& options)
        : net(loop, {}),
          timers(loop),
          bus(loop, {}),
          cluster(bus, options.node),
          links(options, {.net = net,
                          .timers = timers,
                          .clock = loop,
                          .prng = Prng(1),
                          .handler = cluster,
                          .log = {},
                          .nonce = {}}),
          address{.node = options.node, .role = Role::data} {
        timers.bind(links);
        EXPECT_TRUE(links.listen(testing_links::kAnyPort).has_value());
        cluster.connect(links);
        bus.attach(address, role);
        out = bus.outbox(address);
    }

    TcpNet net;
    LoopTimers timers;
    LocalBus bus;
    ClusterBus cluster;
    ClusterLinks links;
    msg::RoleAddress address;
    Role_ role;
    std::unique_ptr<msg::Outbox> out;
};

class ClusterBusTest : public testing_links::LinksFixture {};

TEST_F(ClusterBusTest, CarriesMessagesBetweenRolesOfTwoProcesses) {
    Process a(*loop, options("a"));
    Process b(*loop, options("b"));
    std::string raw;
    b.cluster.on_raw(1, [&](const NodeId& from, std::string_view bytes) {
        raw = from.raw() + ":" + std::string(bytes);
        return Result<void>();
    });
    a.links.learn(b.address.node, b.links.local_address());
    ASSERT_TRUE(run_until([&] { return !a.role.links.empty() && !b.role.links.empty(); }));
    EXPECT_THAT(a.role.links, ElementsAre(Pair(NodeId("b"), LinkEvent::up)));
    a.out->send(b.address, msg::ChangeBatch{.seq = 1});
    b.out->send(a.address, msg::ChangeBatch{.seq = 2});
    a.out->send(a.address, msg::ChangeBatch{.seq = 3});
    a.links.send_raw(NodeId("b"), 1, "log");
    a.links.send_raw(NodeId("b"), 2, "for nobody");
    a.out->send({.node = NodeId("b"), .role = Role::meta}, msg::ChangeBatch{.seq = 4});
    ASSERT_TRUE(run_until([&] { return a.role.seen.size() == 2 && b.bus.dropped_unknown() == 1; }));
    EXPECT_THAT(b.role.seen, ElementsAre(Pair(a.address, 1)));
    EXPECT_THAT(a.role.seen, Contains(Pair(b.address, 2)));
    EXPECT_THAT(a.role.seen, Contains(Pair(a.address, 3)));
    EXPECT_EQ(raw, "a:log");
}

}  // namespace
}  // namespace muster::runtime
