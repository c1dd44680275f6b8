#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;
using Action = msg::BrakeRequest::Action;

const ServicePtr kOrders = service("orders");
constexpr std::size_t kProviders = 30;
constexpr std::size_t kPassed = 15;  // of them, before the sixteenth is too many: more than half

std::string provider(std::size_t i) {
    return "p" + std::to_string(100 + i);
}

// Thirty publications of one session; another one is told of them.
class Brake : public ::testing::Test {
protected:
    Brake() {
        world.assign({"d1", "d2"});
        world.pass(1s);
        for (std::size_t i = 0; i < kProviders; ++i) {
            s1.publish(provider(i), kOrders);
        }
        s2.want(kOrders);
        world.pass(1s);
        EXPECT_EQ(seen(), kProviders);
    }
    [[nodiscard]] std::size_t seen() {
        return s2.copies["orders"].ids.size();
    }
    void close(std::size_t count, bool confirmed = false) {
        for (std::size_t i = 0; i < count; ++i) {
            s1.close(provider(i), confirmed);
        }
    }
    msg::BrakeReply decide(Action action, msg::BrakeScope scope = msg::BrakeScope::service,
                           const std::string& node = "d1") {
        return world.ask_brake(node,
                               {.action = action, .scope = scope, .name = kOrders->data_info_id()});
    }
    // The followers have what the leader has, and the session agrees with it.
    void expect_in_step() {
        const std::size_t details = s1.details;
        world.pass(3s);
        EXPECT_EQ(s1.details, details) << "the session's digest differs";
        EXPECT_EQ(world.copy("d1").digest, world.copy("d2").digest);
        EXPECT_EQ(world.copy("d1").publications, world.copy("d2").publications);
    }

    World world{{"d1", "d2"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

TEST_F(Brake, HoldsWhatIsTooManyAndStaysInStepWithSessionsAndFollowers) {
    close(20);
    EXPECT_EQ(seen(), kProviders - kPassed);
    EXPECT_EQ(world["d1"].status().suspects, 5U);
    EXPECT_EQ(world["d1"].status().services_braking, 1U);
    expect_in_step();
    EXPECT_EQ(seen(), kProviders - kPassed);
    EXPECT_EQ(world.heartbeats[NodeId("d1")].removals, 20U);
    EXPECT_EQ(world.heartbeats[NodeId("d1")].publications, kProviders - kPassed);
}

TEST_F(Brake, AlsoHoldsWhatALaterLifeOfTheSessionSaysToHaveClosed) {
    TestSession& later = world.session("s1", 2);
    world.tell_table();
    world.lose = [](const auto&, const auto&, const auto&) { return true; };
    for (std::size_t i = 0; i < 20; ++i) {
        later.publish(provider(i), kOrders);
    }
    world.lose = [](const auto&, const auto&, const auto&) { return false; };
    for (std::size_t i = 0; i < 20; ++i) {
        later.close(provider(i));
    }
    EXPECT_EQ(seen(), kProviders - kPassed);
    EXPECT_EQ(world["d1"].status().suspects, 5U);
}

TEST_F(Brake, DoesNotAskAboutPoliteLeavingOrWhatIsConfirmed) {
    for (std::size_t i = 0; i < 27; ++i) {
        s1.withdraw(provider(i));
    }
    EXPECT_EQ(seen(), 3U);
    EXPECT_EQ(world["d1"].status().suspects, 0U);
    for (std::size_t i = 0; i < kProviders; ++i) {
        s1.publish(provider(i), kOrders);
    }
    close(27, true);
    EXPECT_EQ(seen(), 3U);
    EXPECT_EQ(world.heartbeats[NodeId("d1")].removals, 0U);
}

// A message of the session may come late, when the one that ended what it says was taken long ago.
TEST_F(Brake, TakesNothingBackByAnOlderWordOfTheSessionThatLetItGo) {
    close(20);
    const std::size_t last = 20;  // the state and the sequence number it was published with
    const auto say_late = [&] {
        auto publication = std::make_shared<Publication>();
        publication->id = RegistId(provider(last - 1));
        publication->service = kOrders;
        publication->order = {last, 0};
        world.send({s1.node, Role::session}, {NodeId("d1"), Role::data},
                   msg::PublishBatch{.session = Incarnation(1),
                                     .slot = SlotId(0),
                                     .slot_epoch = world.table.slots[0].epoch,
                                     .batch = 1000,
                                     .ops = {{.id = publication->id,
                                              .service = kOrders,
                                              .publication = publication,
                                              .order = publication->order,
                                              .owner_seq = last}}});
        world.run();
    };
    say_late();
    EXPECT_EQ(world["d1"].status().suspects, 5U);
    decide(Action::confirm);
    EXPECT_EQ(seen(), kProviders - 20);
    say_late();
    EXPECT_EQ(seen(), kProviders - 20);
    s1.publish(provider(last - 1), kOrders);
    EXPECT_EQ(seen(), kProviders - 20 + 1) << "what it says now counts";
}

TEST_F(Brake, ReleasesWhoIsHeardAgainFromAnySession) {
    close(20);
    const Version version = s2.copies["orders"].version;
    TestSession& s3 = world.session("s3");
    world.tell_table();
    for (std::size_t i = 0; i < kProviders; ++i) {
        s3.publish("other" + provider(i), service("other"));  // what it says next is newer
    }
    for (std::size_t i = kPassed; i < 20; ++i) {
        s3.publish(provider(i), kOrders);
    }
    world.pass(2s);
    EXPECT_EQ(world["d1"].status().suspects, 0U);
    world.pass(70s);
    EXPECT_EQ(seen(), kProviders - kPassed) << "they live";
    EXPECT_GE(s2.copies["orders"].version, version);
    expect_in_step();
}

TEST_F(Brake, LetsGoWhenPatienceEnds) {
    close(20);
    world.pass(59s);
    EXPECT_EQ(seen(), kProviders - kPassed);
    world.pass(2s);
    EXPECT_EQ(seen(), kProviders - 20);
    EXPECT_EQ(world["d1"].status().services_braking, 0U);
    expect_in_step();
}

TEST_F(Brake, LetsGoAtOnceWhenAnOperatorConfirms) {
    close(20);
    const auto held = decide(Action::report);
    ASSERT_EQ(held.lines.size(), 1U);
    EXPECT_EQ(held.lines[0].name, kOrders->data_info_id());
    EXPECT_EQ(held.lines[0].held, 5U);
    EXPECT_EQ(held.lines[0].left_ms, 60'000);
    EXPECT_EQ(held.lines[0].why, "16 of 30 publications closed or fell silent within 10 s");
    const auto done = decide(Action::confirm);
    EXPECT_EQ(done.brakes, 1U);
    EXPECT_EQ(done.publications, 5U);
    EXPECT_EQ(seen(), kProviders - 20);
    EXPECT_TRUE(decide(Action::report).lines.empty());
    EXPECT_EQ(decide(Action::confirm).brakes, 0U);
    expect_in_step();
}

TEST_F(Brake, GivesTimeAnewWhenAnOperatorReleases) {
    close(20);
    world.pass(50s);
    EXPECT_EQ(decide(Action::release).publications, 5U);
    world.pass(55s);
    EXPECT_EQ(seen(), kProviders - kPassed);
    world.pass(10s);
    EXPECT_EQ(seen(), kProviders - 20);
}

TEST_F(Brake, HoldsTheOrphansOfASessionThatEnded) {
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.pass(12s, {"s1"});
    EXPECT_EQ(seen(), kPassed) << "they are held like the rest, and told like the rest";
    EXPECT_EQ(world["d1"].status().suspects, kPassed);
    world.pass(60s, {"s1"});
    EXPECT_EQ(seen(), 0U);
}

TEST_F(Brake, GoesOnAfterAPromotion) {
    close(20);
    world.pass(30s);
    world.kill("d1");
    world.assign({"d2"});
    s2.want(kOrders);
    world.pass(1s);
    EXPECT_EQ(seen(), kProviders - kPassed);
    EXPECT_EQ(world["d2"].status().suspects, 5U);
    world.pass(27s);
    EXPECT_EQ(seen(), kProviders - kPassed);
    world.pass(4s);
    EXPECT_EQ(seen(), kProviders - 20) << "no later than had the first leader lived";
}

TEST_F(Brake, HoldsEverythingWhileTheMetasSaySo) {
    world.braking = "half of the cluster went";
    world.tell_table();
    close(2);
    EXPECT_EQ(seen(), kProviders);
    const auto held = decide(Action::report);
    ASSERT_EQ(held.lines.size(), 1U);
    EXPECT_EQ(held.lines[0].scope, msg::BrakeScope::cluster);
    EXPECT_EQ(held.lines[0].held, 2U);
    EXPECT_EQ(held.lines[0].why, world.braking);
    world.braking.clear();
    world.tell_table();
    s1.close(provider(2));
    EXPECT_EQ(seen(), kProviders - 1);
    EXPECT_EQ(decide(Action::confirm, msg::BrakeScope::cluster).publications, 2U);
    EXPECT_EQ(seen(), kProviders - 3);
}

}  // namespace
}  // namespace muster::data
