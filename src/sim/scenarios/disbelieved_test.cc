// Clients that say to hold versions nobody was ever given.
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};

// Remembers what it is told, and acknowledges nothing.
class Liar final : public msg::ClientPort {
public:
    void reply(env::ConnId, const msg::RequestReply& reply) override {
        answered.push_back(reply.outcomes.at(0).result.has_value());
    }
    void push(const msg::PushOrder& order) override {
        told.push_back(order.view->version);
    }
    void push_config(env::ConnId, const msg::ConfigPush&) override {}
    void hint(env::ConnId, const msg::ServerHint&) override {}
    [[nodiscard]] bool shows_incomplete() const override {
        return true;
    }
    [[nodiscard]] bool takes_deltas() const override {
        return true;
    }
    [[nodiscard]] bool congested(env::ConnId) const override {
        return false;
    }
    void close(env::ConnId, const Error&) override {}

    std::vector<bool> answered;
    std::vector<Version> told;
};

class Disbelieved : public ::testing::Test {
protected:
    Disbelieved() {
        provider.publish(kOrders);
        watcher.subscribe(kOrders, Scope::data_center);
        story.wait(seconds(20));
        EXPECT_EQ(story.differs(), "");
    }
    session::SessionServer& session() {
        return *story.node("session-1").session();
    }
    void say(Version held) {
        const env::ConnId conn(kFirst + liar.answered.size());
        session().on_client_open(conn, {.address = "192.0.2.1:1", .door = "native"}, liar);
        session().on_client_message(
            conn, msg::Subscribe{
                      .request = msg::RequestId(1),
                      .items = {{.subscription = {.id = RegistId("liar"),
                                                  .service = std::make_shared<Service>(kOrders),
                                                  .order = {.version = 1},
                                                  .scope = Scope::data_center},
                                 .held = held,
                                 .held_digest = {.low = 1, .high = 2}}}});
    }
    void they_go() {
        for (std::size_t i = 0; i < liar.answered.size(); ++i) {
            session().on_client_closed(env::ConnId(kFirst + i));
        }
    }
    Version ceiling() {
        return session().view().ceiling();
    }
    // What no wall clock says, and no ceiling allows.
    std::vector<Version> impossible() {
        return {Version(ceiling().raw() - 1), ceiling(), Version(ceiling().raw() + 1'000'000),
                Version((std::uint64_t{1} << 63U) - 1)};
    }

    static constexpr std::uint64_t kFirst = 1'000'000;  // of the liars' connections
    Story story{RegistryOptions{.data = 1, .sessions = 1}};
    SimClient& provider = story.client(ClientKind::native);
    SimClient& watcher = story.client(ClientKind::native);
    Liar liar;
};

TEST_F(Disbelieved, OthersGoOnAndThemselvesAreToldNothingLower) {
    for (const Version version : impossible()) {
        say(version);
        provider.update(provider.published().front());
        EXPECT_LT(story.wait_until_equal(seconds(5)), seconds(5)) << story.differs();
    }
    EXPECT_EQ(liar.answered, std::vector<bool>(4, true));
    for (const Version told : liar.told) {
        EXPECT_GE(told, impossible().front()) << "only the first of them could be reached";
    }
    they_go();
    EXPECT_EQ(story.broken_at_rest(), "");
}

TEST_F(Disbelieved, TheyLiftNobodyAboveWhatALeaderCanGive) {
    story.world.cuts.cut(Cuts::between({"session-1"}, {"data-1"}));
    story.wait(seconds(5));
    for (const Version version : impossible()) {
        say(version);
    }
    provider.update(provider.published().front());
    story.wait(seconds(5));
    for (const Version told : liar.told) {
        EXPECT_LT(told, ceiling());
    }
    story.world.cuts.open_all();
    story.wait(seconds(5));
    provider.update(provider.published().front());
    EXPECT_LT(story.wait_until_equal(seconds(5)), seconds(5)) << story.differs();
    they_go();
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
