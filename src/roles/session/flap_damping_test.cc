#include "roles/session/flap_damping.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});
const ServicePtr kStock = std::make_shared<const Service>(Service{.data_id = "stock"});
constexpr FlapDamping::Held kMany{.damped = 0, .all = 1000};

Publication instance(const std::string& id, const std::string& box = "bolt://10.0.0.1:12200?a=1",
                     const ServicePtr& service = kOrders) {
    Publication publication;
    publication.id = RegistId(id);
    publication.service = service;
    publication.boxes = {box};
    return publication;
}

class FlapDampingTest : public ::testing::Test {
protected:
    // Goes and comes back at once.
    bool flip(const Publication& publication, const FlapDamping::Held& held = kMany) {
        damping.went(publication, now);
        return damping.damps(publication, held, now);
    }
    void flip(const Publication& publication, int times) {
        for (int i = 0; i < times; ++i) {
            EXPECT_FALSE(flip(publication)) << i;
        }
    }

    // One of three is forgotten every ten seconds.
    FlapDamping damping{{.flips = 3, .window = seconds(30), .hold = seconds(20), .percent = 10}};
    MonoTime now{seconds(100)};
};

TEST_F(FlapDampingTest, DampsWhatCameBackMoreOftenThanItMay) {
    flip(instance("p"), 3);
    EXPECT_TRUE(flip(instance("p")));
    EXPECT_TRUE(flip(instance("p")));
    EXPECT_EQ(damping.probe().flips.value(), 5U);
    EXPECT_EQ(damping.probe().damped.value(), 2U);
    EXPECT_EQ(damping.flips_of(instance("p")), 5U);
}

TEST_F(FlapDampingTest, CountsNobodyWhoOnlyComes) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(damping.damps(instance("p"), kMany, now));
    }
    EXPECT_EQ(damping.tracked(), 0U);
    EXPECT_EQ(damping.probe().flips.value(), 0U);
}

TEST_F(FlapDampingTest, ForgetsEvenly) {
    flip(instance("p"), 3);
    now += seconds(10);
    flip(instance("p"), 1);
    EXPECT_TRUE(flip(instance("p")));
    now += seconds(1000);
    flip(instance("p"), 3);
    EXPECT_TRUE(flip(instance("p")));
}

TEST_F(FlapDampingTest, NeverDampsWhatComesBackAtThePaceThatIsAllowed) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(flip(instance("p"))) << i;
        now += seconds(10);
        damping.sweep(now);
    }
}

TEST_F(FlapDampingTest, HoldsNoGrudge) {
    for (int i = 0; i < 1000; ++i) {
        (void)flip(instance("p"));
    }
    now += seconds(20);
    EXPECT_FALSE(flip(instance("p"))) << "as if it had flapped for a moment only";
}

TEST_F(FlapDampingTest, KnowsAnInstanceByItsAddress) {
    flip(instance("first life"), 1);
    damping.went(instance("first life"), now);
    EXPECT_FALSE(damping.damps(instance("second life", "10.0.0.1:12200?a=2"), kMany, now));
    flip(instance("third life"), 1);
    EXPECT_TRUE(flip(instance("fourth life")));
    EXPECT_FALSE(flip(instance("p", "10.0.0.1:12201"))) << "of another port";
    EXPECT_FALSE(flip(instance("p", "10.0.0.1:12200", kStock))) << "of another service";
}

TEST_F(FlapDampingTest, KnowsWhatHasNoAddressByItsRegistration) {
    flip(instance("p", "opaque"), 3);
    EXPECT_TRUE(flip(instance("p", "something else")));
    EXPECT_FALSE(flip(instance("q", "opaque")));
}

TEST_F(FlapDampingTest, CountsARestartOnceHoweverMuchItRegisters) {
    for (int restart = 0; restart < 3; ++restart) {
        damping.went(instance("a"), now);
        damping.went(instance("b"), now);
        EXPECT_FALSE(damping.damps(instance("a"), kMany, now));
        EXPECT_FALSE(damping.damps(instance("b"), kMany, now));
    }
    EXPECT_EQ(damping.probe().flips.value(), 3U);
    damping.went(instance("a"), now);
    damping.went(instance("b"), now);
    EXPECT_TRUE(damping.damps(instance("a"), kMany, now));
    EXPECT_TRUE(damping.damps(instance("b"), kMany, now)) << "all of what it registers";
}

TEST_F(FlapDampingTest, DampsNoMoreThanAShareButAlwaysOne) {
    flip(instance("p"), 3);
    EXPECT_FALSE(flip(instance("p"), {.damped = 10, .all = 100}));
    EXPECT_EQ(damping.probe().too_many.value(), 1U);
    EXPECT_TRUE(flip(instance("p"), {.damped = 9, .all = 100}));
    EXPECT_TRUE(flip(instance("p"), {.damped = 0, .all = 0}));
    EXPECT_FALSE(flip(instance("p"), {.damped = 1, .all = 2}));
}

TEST_F(FlapDampingTest, IsOffWithoutANumber) {
    FlapDamping off({.flips = 0});
    for (int i = 0; i < 100; ++i) {
        off.went(instance("p"), now);
        EXPECT_FALSE(off.damps(instance("p"), kMany, now));
    }
    EXPECT_EQ(off.tracked(), 0U);
}

TEST_F(FlapDampingTest, ForgetsWhoDoesNotComeBack) {
    for (int i = 0; i < 100; ++i) {
        damping.went(instance("p" + std::to_string(i), "opaque"), now);
    }
    flip(instance("q"), 3);
    damping.sweep(now += seconds(29));
    EXPECT_EQ(damping.tracked(), 101U);
    damping.sweep(now += seconds(1));
    EXPECT_EQ(damping.tracked(), 0U);
}

TEST_F(FlapDampingTest, WatchesABoundedNumber) {
    for (std::size_t i = 0; i < FlapDamping::kTrackedMax + 7; ++i) {
        damping.went(instance("p" + std::to_string(i), "opaque"), now);
    }
    EXPECT_EQ(damping.tracked(), FlapDamping::kTrackedMax);
    EXPECT_EQ(damping.probe().untracked.value(), 7U);
    flip(instance("p0", "opaque"), 3);
    EXPECT_TRUE(flip(instance("p0", "opaque"))) << "who is watched still is";
}

// What no pattern may exceed: so often within a time it is shown at once.
TEST_F(FlapDampingTest, ShowsAtOnceNoMoreThanItsBound) {
    for (const auto pace : {milliseconds(1), milliseconds(700), milliseconds(4100),
                            milliseconds(9900), milliseconds(19000)}) {
        FlapDamping flaps({.flips = 3, .window = seconds(30), .hold = seconds(20)});
        MonoTime at{seconds(1)};
        const MonoTime end = at + seconds(300);
        std::size_t shown = 0;
        while (at < end) {
            flaps.went(instance("p"), at);
            shown += flaps.damps(instance("p"), kMany, at) ? 0U : 1U;
            at += pace;
            flaps.sweep(at);
        }
        EXPECT_LE(shown, 3 + 300 / 10U + 1) << to_ms(pace);
    }
}

TEST(InstanceOf, IsTheFirstAddressOfItsBoxes) {
    EXPECT_EQ(instance_of(instance("p")), "10.0.0.1:12200");
    EXPECT_EQ(instance_of(instance("p", "tri://[::1]:80/path?x=1")), "[::1]:80");
    EXPECT_EQ(instance_of(instance("p", "no address")), "p");
    EXPECT_EQ(instance_of(instance("p", "host:70000")), "p");
    Publication many = instance("p");
    many.boxes = {"opaque", "h:1", "h:2"};
    EXPECT_EQ(instance_of(many), "h:1");
    many.boxes = {};
    EXPECT_EQ(instance_of(many), "p");
}

}  // namespace
}  // namespace muster::session
