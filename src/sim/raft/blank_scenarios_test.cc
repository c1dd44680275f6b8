#include "sim/raft/scenario.h"

// Nodes whose folder was lost.
namespace muster::raft::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RaftBlank : public RaftScenario {
protected:
    void lose_folder(std::size_t host) {
        group->crash(host);
        group->wipe(host);
    }
    [[nodiscard]] Standing standing(std::size_t host) const {
        return group->node(host).core().standing();
    }
};

TEST_F(RaftBlank, ANodeThatLostItsFolderDoesNotElectAnotherThatNeverKnew) {
    begin();
    const std::size_t lead = leader();
    const std::size_t forgets = (lead + 1) % 3;
    const std::size_t never_knew = (lead + 2) % 3;
    group->isolate(never_knew);
    write(10);
    group->crash(lead);
    lose_folder(forgets);
    group->heal_network();
    group->start(forgets);
    group->run_for(seconds(20));
    EXPECT_EQ(group->leader(), std::nullopt);
    EXPECT_EQ(standing(forgets), Standing::blank);
    EXPECT_EQ(group->node(forgets).status().unheard, std::vector{Cluster::id_of(lead)});
    group->start(lead);
    write(1);
    converge();
    EXPECT_EQ(standing(forgets), Standing::whole);
    EXPECT_EQ(group->oracle().order().size(), 11U);
}

// A leader of the past does not know that it is one; who forgot the term in which it acknowledged
// to the present leader would make a majority with it.
TEST_F(RaftBlank, ANodeThatForgotItsTermDoesNotFollowALeaderOfThePast) {
    begin();
    write(1);
    converge();
    const std::size_t past = leader();
    const std::size_t forgets = (past + 1) % 3;
    const std::size_t present = (past + 2) % 3;
    group->isolate(past);
    group->stall_clock(past, seconds(60));
    ASSERT_TRUE(group->run_until(
        [&] { return group->leader().has_value() && *group->leader() != past; }, seconds(20)));
    if (*group->leader() == forgets) {
        ASSERT_TRUE(answer_to(group->transfer(forgets, present)).good);
        ASSERT_TRUE(group->run_until([&] { return group->leader() == present; }, seconds(5)));
    }
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(answer_to(group->propose(present)).good);
    }
    lose_folder(forgets);
    group->heal_network();
    group->isolate(present);
    group->start(forgets);
    ASSERT_EQ(group->node(past).core().role(), ConsensusRole::leader);
    const LogIndex agreed = group->node(past).core().commit();
    for (int i = 0; i < 5; ++i) {
        (void)group->propose(past);
        group->run_for(seconds(1));
    }
    EXPECT_EQ(group->node(past).core().commit(), agreed);
    EXPECT_EQ(standing(forgets), Standing::blank);
    group->heal_network();
    ASSERT_TRUE(
        group->run_until([&] { return standing(forgets) == Standing::whole; }, seconds(90)));
    write(1);
    converge();
}

TEST_F(RaftBlank, ANodeWhoseFolderWasLostIsSuppliedAndCountsAgain) {
    begin();
    write(300);  // the log does not reach back
    const std::size_t lead = leader();
    const std::size_t forgets = (lead + 1) % 3;
    lose_folder(forgets);
    write(5);
    group->start(forgets);
    converge();
    EXPECT_EQ(standing(forgets), Standing::whole);
    group->crash((lead + 2) % 3);
    write(5);
    group->crash(lead);
    group->start((lead + 2) % 3);
    write(5);
    EXPECT_EQ(group->oracle().order().size(), 315U);
    // It knows what it knows: another start asks nobody.
    group->crash(forgets);
    group->start(forgets);
    EXPECT_EQ(standing(forgets), Standing::whole);
}

// Each has a larger life than the one before it, so that no leader takes it for the past.
TEST_F(RaftBlank, AFolderThatIsLostTwiceIsSuppliedTwice) {
    begin();
    const std::size_t forgets = follower();
    for (int turn = 0; turn < 2; ++turn) {
        write(5);
        lose_folder(forgets);
        group->start(forgets);
        converge();
        EXPECT_EQ(standing(forgets), Standing::whole);
    }
}

TEST_F(RaftBlank, AGroupBeginsWhenAllWereThere) {
    group = std::make_unique<Cluster>(three());
    group->crash(2);
    group->run_for(seconds(10));
    EXPECT_EQ(group->leader(), std::nullopt);
    EXPECT_EQ(group->node(0).status().unheard, std::vector{Cluster::id_of(2)});
    group->start(2);
    write(1);
    converge();
}

// A folder that is lost before anything was agreed costs nothing.
TEST_F(RaftBlank, AGroupBeginsAgainWhenNobodyHoldsAnything) {
    group = std::make_unique<Cluster>(three());
    group->filter = [](const Message& message) {
        const auto* vote = std::get_if<VoteReply>(&message.body);
        return vote == nullptr || vote->pre || !vote->granted;
    };
    const auto voted = [&] {
        return group->node(0).core().term() > Term(2) && group->node(1).core().term() > Term(2) &&
               group->node(2).core().term() > Term(2);
    };
    ASSERT_TRUE(group->run_until(voted, seconds(60)));
    lose_folder(0);
    group->filter = nullptr;
    group->start(0);
    write(1);
    converge();
    EXPECT_GT(group->node(0).core().term(), Term(2));
}

}  // namespace
}  // namespace muster::raft::swarm
