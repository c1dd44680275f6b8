#include "runtime/bus/local_bus.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::runtime {
namespace {

using msg::RoleAddress;
using testing::ElementsAre;

const RoleAddress kSession{.node = NodeId("a"), .role = Role::session};
const RoleAddress kData{.node = NodeId("a"), .role = Role::data};

class Recorder final : public msg::Receiver {
public:
    std::vector<std::uint64_t> seen;
    std::vector<RoleAddress> senders;
    std::function<void(std::uint64_t)> then;

    void on_message(const RoleAddress& from, const msg::ClusterMessage& message) override {
        EXPECT_FALSE(sending);
        seen.push_back(std::get<msg::ChangeBatch>(message).seq);
        senders.push_back(from);
        if (then) {
            then(seen.back());
        }
    }

    void on_link(const NodeId& node, msg::LinkEvent event) override {
        EXPECT_FALSE(sending);
        links.emplace_back(node, event);
    }

    bool sending = false;
    std::vector<std::pair<NodeId, msg::LinkEvent>> links;
};

class RecordingRemote final : public BusRemote {
public:
    std::vector<RoleAddress> to;

    void send(const RoleAddress& /*from*/, const RoleAddress& addressee,
              const msg::ClusterMessage& /*message*/) override {
        to.push_back(addressee);
    }
};

msg::ClusterMessage numbered(std::uint64_t number) {
    return msg::ChangeBatch{.seq = number};
}

class LocalBusTest : public testing::Test {
protected:
    LocalBusTest() : loop(std::move(*Loop::create())) {}

    // Runs the loop until what waits now, and the answers to it, are delivered.
    void run_out(int turns = 20) {
        std::function<void()> again = [&] {
            if (--turns == 0) {
                loop->stop();
            } else {
                loop->post([&] { again(); });
            }
        };
        loop->post([&] { again(); });
        loop->run();
    }

    std::unique_ptr<Loop> loop;
    Recorder data;
    Recorder session;
};

TEST_F(LocalBusTest, DeliversInOrderAndNeverFromWithinSend) {
    LocalBus bus(*loop, {});
    bus.attach(kData, data);
    const auto outbox = bus.outbox(kSession);
    data.sending = true;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        outbox->send(kData, numbered(i));
    }
    data.sending = false;
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(1, 2, 3));
    EXPECT_THAT(data.senders, ElementsAre(kSession, kSession, kSession));
    EXPECT_EQ(bus.delivered(), 3U);
}

TEST_F(LocalBusTest, DeliversAnswersSentFromWithinAHandlerAfterIt) {
    LocalBus bus(*loop, {});
    bus.attach(kData, data);
    bus.attach(kSession, session);
    const auto from_session = bus.outbox(kSession);
    const auto from_data = bus.outbox(kData);
    data.then = [&](std::uint64_t number) {
        session.sending = true;
        from_data->send(kSession, numbered(number + 100));
        session.sending = false;
    };
    from_session->send(kData, numbered(1));
    from_session->send(kData, numbered(2));
    run_out();
    EXPECT_THAT(session.seen, ElementsAre(101, 102));
}

TEST_F(LocalBusTest, CarriesAMessageOfARoleToItself) {
    LocalBus bus(*loop, {});
    bus.attach(kData, data);
    bus.outbox(kData)->send(kData, numbered(9));
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(9));
}

TEST_F(LocalBusTest, DropsAndCountsWhatIsForNobody) {
    LocalBus bus(*loop, {});
    const auto outbox = bus.outbox(kSession);
    outbox->send(kData, numbered(1));
    bus.attach(kData, data);
    outbox->send(kData, numbered(2));
    bus.detach(kData);
    run_out();
    EXPECT_TRUE(data.seen.empty());
    EXPECT_EQ(bus.dropped_unknown(), 2U);
    bus.attach(kData, data);
    outbox->send(kData, numbered(3));
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(3));
}

TEST_F(LocalBusTest, DropsAndCountsWhatIsOverTheLimit) {
    LocalBus bus(*loop, {.messages_max = 2});
    bus.attach(kData, data);
    const auto outbox = bus.outbox(kSession);
    for (std::uint64_t i = 1; i <= 5; ++i) {
        outbox->send(kData, numbered(i));
    }
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(1, 2));
    EXPECT_EQ(bus.dropped_full(), 3U);
}

TEST_F(LocalBusTest, LetsOthersRunBetweenBatches) {
    LocalBus bus(*loop, {.batch_max = 10});
    bus.attach(kData, data);
    const auto outbox = bus.outbox(kSession);
    for (std::uint64_t i = 0; i < 25; ++i) {
        outbox->send(kData, numbered(i));
    }
    std::vector<std::size_t> seen_between;
    std::function<void()> look = [&] {
        seen_between.push_back(data.seen.size());
        if (data.seen.size() < 25) {
            loop->post([&] { look(); });
        } else {
            loop->stop();
        }
    };
    loop->post([&] { look(); });
    loop->run();
    EXPECT_THAT(seen_between, ElementsAre(0, 10, 20, 25));
}

TEST_F(LocalBusTest, HandsWhatIsForOtherNodesToTheRemote) {
    LocalBus bus(*loop, {});
    RecordingRemote remote;
    bus.connect(NodeId("a"), remote);
    bus.attach(kData, data);
    const RoleAddress elsewhere{.node = NodeId("b"), .role = Role::data};
    const auto outbox = bus.outbox(kSession);
    outbox->send(elsewhere, numbered(1));
    outbox->send(kData, numbered(2));
    EXPECT_THAT(remote.to, ElementsAre(elsewhere));
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(2));
}

TEST_F(LocalBusTest, QueuesWhatComesFromOtherNodes) {
    LocalBus bus(*loop, {});
    bus.attach(kData, data);
    bus.attach(kSession, session);
    const RoleAddress elsewhere{.node = NodeId("b"), .role = Role::session};
    data.sending = true;
    bus.deliver(elsewhere, kData, numbered(1));
    bus.deliver_link(NodeId("b"), msg::LinkEvent::closed);
    data.sending = false;
    run_out();
    EXPECT_THAT(data.seen, ElementsAre(1));
    EXPECT_THAT(data.senders, ElementsAre(elsewhere));
    const auto closed = std::pair(NodeId("b"), msg::LinkEvent::closed);
    EXPECT_THAT(data.links, ElementsAre(closed));
    EXPECT_THAT(session.links, ElementsAre(closed));
}

}  // namespace
}  // namespace muster::runtime
