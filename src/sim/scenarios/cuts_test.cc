#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenarios/story.h"

namespace muster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<Service> kServices{
    {.data_id = "orders"}, {.data_id = "stock"}, {.data_id = "users"}, {.data_id = "prices"}};

// Two data servers that each lead one slot and follow the other, and one session.
class CutOff : public ::testing::Test {
protected:
    CutOff() {
        for (const Service& service : kServices) {
            ids.push_back(provider.publish(service));
            consumer.subscribe(service, Scope::data_center);
        }
        story.wait(seconds(20));
    }
    void cut(const std::string& one, const std::string& other) {
        story.world.cuts.cut(Cuts::between({one}, {other}));
    }
    void change_all() {
        for (const RegistId& id : ids) {
            provider.update(id);
        }
    }

    Story story{
        RegistryOptions{.metas = 1, .data = 2, .sessions = 1, .slots = 2, .copies = 2, .zones = 1}};
    SimClient& provider = story.client(ClientKind::native);
    SimClient& consumer = story.client(ClientKind::native);
    std::vector<RegistId> ids;
};

// It comes back to one leader with what another acted for, and asks it to act for a slot that it
// will not act for.
TEST_F(CutOff, ASessionComesBackToOneLeaderBeforeTheOther) {
    cut("data-1", "session-1");
    cut("data-1", "data-2");
    story.wait(seconds(3));
    change_all();
    story.wait(seconds(1));
    cut("data-2", "session-1");
    story.wait(seconds(3));
    change_all();
    story.world.cuts.open_all();
    cut("data-2", "session-1");
    story.wait(seconds(3));
    story.world.cuts.open_all();
    story.wait(seconds(10));
    EXPECT_EQ(story.differs(), "");
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

// Nobody is reached who holds anything: what its own clients say and take back is shown to those of
// them that can be shown it, and what merely fell silent stays.
TEST_F(CutOff, ASessionAloneShowsWhatItsOwnClientsSay) {
    SimClient& java = story.client(ClientKind::java);
    SimClient& mortal = story.client(ClientKind::native);
    java.subscribe(kServices[0], Scope::data_center);
    const RegistId dies = mortal.publish(kServices[0]);
    story.wait(seconds(1));
    const std::set<std::string> before = story.seen_by(java);
    EXPECT_EQ(before, (std::set{ids[0].raw(), dies.raw()}));

    cut("data-1", "session-1");
    cut("data-2", "session-1");
    story.wait(seconds(3));
    const RegistId fresh = provider.publish(kServices[0]);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{ids[0].raw(), dies.raw(), fresh.raw()}));
    provider.withdraw(ids[0]);
    mortal.kill(false);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{dies.raw(), fresh.raw()}));
    EXPECT_EQ(story.seen_by(java), before) << "it could not say elsewhere what it was shown here";

    story.world.cuts.open_all();
    story.wait(seconds(5));
    EXPECT_EQ(story.seen_by(consumer), std::set{fresh.raw()});
    EXPECT_EQ(story.seen_by(java), std::set{fresh.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

// One data server, and two sessions with clients of their own.
class CutOffAlone : public ::testing::Test {
protected:
    CutOffAlone() {
        for (int i = 0; i < 8; ++i) {
            story.client(ClientKind::native);
        }
        story.wait(seconds(1));
        here = story.clients_of("session-1");
        there = story.clients_of("session-2");
    }
    void SetUp() override {
        ASSERT_GE(here.size(), 3U);
        ASSERT_GE(there.size(), 2U);
    }

    Story story{RegistryOptions{.data = 1, .sessions = 2}};
    std::vector<SimClient*> here;
    std::vector<SimClient*> there;
};

// It dies before it reached anybody again; who was shown by it comes to a session that never heard
// of what it showed, and the provider takes his time to come back.
TEST_F(CutOffAlone, ASessionThatDiesTakesNothingFromWhoWasShownItsOwnClients) {
    SimClient& provider = *here[0];
    SimClient& consumer = *here[1];
    consumer.subscribe(kServices[0], Scope::data_center);
    story.wait(seconds(1));
    story.world.cuts.cut(Cuts::between({"session-1"}, {"data-1", "meta-1", "session-2"}));
    story.wait(seconds(3));
    const RegistId fresh = provider.publish(kServices[0]);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), std::set{fresh.raw()});
    provider.pause(seconds(8));
    story.node("session-1").kill(Death::killed);
    story.world.cuts.open_all();
    story.wait(seconds(6));
    EXPECT_EQ(story.clients_of("session-2").size(), 7U);
    EXPECT_EQ(story.seen_by(consumer), std::set{fresh.raw()});
    EXPECT_EQ(story.broken_at_rest(), "");
}

// Both number what they show by themselves. Who goes from one to the other, which reaches nobody
// either, keeps the newer states it was shown there.
TEST_F(CutOffAlone, TwoSessionsDoNotTakeTheListsOfEachOtherForTheirOwn) {
    SimClient& consumer = *here[1];
    consumer.subscribe(kServices[0], Scope::data_center);
    there[1]->subscribe(kServices[0], Scope::data_center);
    const RegistId one = here[0]->publish(kServices[0]);
    const RegistId other = there[0]->publish(kServices[0]);
    story.wait(seconds(1));
    for (const char* session : {"session-1", "session-2"}) {
        story.world.cuts.cut(Cuts::between({session}, {"data-1", "meta-1"}));
    }
    story.world.cuts.cut(Cuts::between({"session-1"}, {"session-2"}));
    story.wait(seconds(3));
    here[0]->update(one);
    there[0]->update(other);
    story.wait(seconds(1));
    there[0]->update(other);  // as many lists here as there
    const RegistId fresh = here[0]->publish(kServices[0]);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{one.raw(), other.raw(), fresh.raw()}));
    EXPECT_EQ(story.seen_by(*there[1]), (std::set{one.raw(), other.raw()}));

    here[0]->pause(seconds(8));
    story.node("session-1").kill(Death::killed);
    story.wait(seconds(4));
    there[0]->update(other);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{one.raw(), other.raw(), fresh.raw()}));
    // It comes back with a version of this session, at which others were shown another list.
    story.world.pipes.reset(consumer.pipe(), {});
    story.wait(seconds(1));
    there[0]->update(other);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(consumer), (std::set{one.raw(), other.raw(), fresh.raw()}));
    EXPECT_EQ(story.broken(), "");

    story.world.cuts.open_all();
    story.wait(seconds(15));
    EXPECT_EQ(story.differs(), "");
    EXPECT_EQ(story.broken(), "");
    EXPECT_EQ(story.broken_at_rest(), "");
}

// What it missed of the leader's last word was told elsewhere: who comes from there is shown
// nothing but what is said here, and what left here is gone though nobody said so back.
TEST_F(CutOffAlone, ASessionShowsNothingAgainThatItsLeaderTookAway) {
    SimClient& stays_here = *here[2];
    SimClient& comes_here = *there[0];
    stays_here.subscribe(kServices[0], Scope::data_center);
    comes_here.subscribe(kServices[0], Scope::data_center);
    const RegistId stays = here[0]->publish(kServices[0]);
    const RegistId leaves = here[1]->publish(kServices[0]);
    const RegistId leaves_there = there[1]->publish(kServices[0]);
    story.wait(seconds(1));
    story.world.network.next<msg::ChangeBatch>(Network::Fate::lost);
    here[1]->withdraw(leaves);
    story.wait(milliseconds(20));
    there[1]->withdraw(leaves_there);
    story.wait(milliseconds(20));
    ASSERT_EQ(story.seen_by(comes_here), std::set{stays.raw()});
    ASSERT_EQ(story.seen_by(stays_here).size(), 3U) << "it did not hear of it";

    story.node("data-1").pause(seconds(6));
    story.wait(milliseconds(1500));
    EXPECT_EQ(story.seen_by(stays_here), (std::set{stays.raw(), leaves_there.raw()}));
    story.node("session-2").kill(Death::killed);
    story.wait(seconds(2));
    here[0]->update(stays);
    const RegistId fresh = here[0]->publish(kServices[0]);
    story.wait(seconds(1));
    EXPECT_EQ(story.seen_by(comes_here), (std::set{stays.raw(), fresh.raw()}));
    EXPECT_EQ(story.broken(), "");
    story.wait(seconds(5));
    EXPECT_EQ(story.broken_at_rest(), "");
}

}  // namespace
}  // namespace muster::sim
