#include "apps/muster/bench/steady_witness.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// A list of a service with one instance, in that state.
void show(SteadyWitness& witness, std::uint64_t subscriber, std::uint32_t service,
          std::uint32_t state, Duration at) {
    witness.shown(subscriber, service, {.states = std::array{state}, .strangers = {}}, at);
}

TEST(SteadyWitness, TimesAChangeFromWhenItWasDueToTheLastSubscriber) {
    SteadyWitness witness({.services = 2, .subscribers = 2});
    witness.said(1, 0, 1, 0ms);
    show(witness, 0, 1, 1, 1ms);
    show(witness, 1, 1, 1, 1ms);
    EXPECT_EQ(witness.reached(), 2U);
    EXPECT_EQ(witness.begun(), 0U) << "the first state is no change";
    witness.said(1, 0, 2, 10ms);
    show(witness, 0, 1, 2, 11ms);
    EXPECT_EQ(witness.open(), 1U);
    show(witness, 1, 1, 2, 40ms);
    EXPECT_EQ(witness.open(), 0U);
    const auto told = witness.verdict();
    EXPECT_EQ(told.to_last.quantiles().max, 30ms);
    EXPECT_EQ(told.to_each.count(), 2U);
    EXPECT_EQ(told.lists, 4U);
    EXPECT_EQ(told.false_removals + told.backward, 0U);
}

TEST(SteadyWitness, AListThatLosesTheInstanceIsAFalseRemovalOnce) {
    SteadyWitness witness({});
    witness.said(0, 0, 1, 0ms);
    show(witness, 0, 0, 0, 1ms);
    EXPECT_EQ(witness.verdict().false_removals, 0U) << "it was not shown yet";
    show(witness, 0, 0, 1, 2ms);
    show(witness, 0, 0, 0, 3ms);
    show(witness, 0, 0, 0, 4ms);
    EXPECT_EQ(witness.verdict().false_removals, 1U);
    show(witness, 0, 0, 1, 5ms);
    show(witness, 0, 0, 0, 6ms);
    EXPECT_EQ(witness.verdict().false_removals, 2U);
}

TEST(SteadyWitness, EachInstanceThatAListLosesIsCounted) {
    SteadyWitness witness({.instances = 3});
    for (std::uint32_t instance = 0; instance < 3; ++instance) {
        witness.said(0, instance, 1, 0ms);
    }
    witness.shown(0, 0, {.states = std::array<std::uint32_t, 3>{1, 1, 1}, .strangers = {}}, 1ms);
    EXPECT_EQ(witness.reached(), 3U);
    witness.shown(0, 0, {.states = std::array<std::uint32_t, 3>{0, 1, 0}, .strangers = {}}, 2ms);
    EXPECT_EQ(witness.verdict().false_removals, 2U);
}

TEST(SteadyWitness, AnOlderStateIsCountedAndNotBelieved) {
    SteadyWitness witness({});
    witness.said(0, 0, 1, 0ms);
    witness.said(0, 0, 2, 0ms);
    show(witness, 0, 0, 2, 1ms);
    show(witness, 0, 0, 1, 2ms);
    EXPECT_EQ(witness.verdict().backward, 1U);
    witness.said(0, 0, 3, 3ms);
    show(witness, 0, 0, 3, 4ms);
    EXPECT_EQ(witness.open(), 0U);
    EXPECT_EQ(witness.verdict().to_each.count(), 2U);
}

TEST(SteadyWitness, AnOutageIsHowLongASubscriberWasToldNothingNewerAndWasBehind) {
    SteadyWitness witness({.services = 2, .subscribers = 2});
    for (std::uint32_t service = 0; service < 2; ++service) {
        witness.said(service, 0, 1, 0ms);
        show(witness, 0, service, 1, 1ms);
        show(witness, 1, service, 1, 1ms);
    }
    witness.begin(10ms);
    witness.said(0, 0, 2, 10ms);
    show(witness, 0, 0, 2, 12ms);
    show(witness, 1, 0, 1, 200ms);  // the same once more is no news
    witness.said(1, 0, 2, 400ms);
    show(witness, 0, 1, 2, 401ms);
    show(witness, 1, 1, 2, 402ms);
    EXPECT_FALSE(witness.verdict().to_equal.has_value()) << "one was not shown all yet";
    show(witness, 1, 0, 2, 1010ms);
    const auto told = witness.verdict();
    EXPECT_EQ(told.without_news.count(), 2U);
    EXPECT_EQ(told.without_news.quantiles().max, 608ms);
    EXPECT_EQ(told.behind.count(), 2U);
    EXPECT_EQ(told.behind.quantiles().max, 1000ms) << "with the other service";
    EXPECT_EQ(told.to_equal, 0ms);
}

TEST(SteadyWitness, ViewsAreEqualToWhatWasSaidOrSaidToDiffer) {
    SteadyWitness witness({.services = 2, .instances = 2, .subscribers = 3});
    for (std::uint32_t service = 0; service < 2; ++service) {
        for (std::uint32_t instance = 0; instance < 2; ++instance) {
            witness.said(service, instance, 1, 0ms);
        }
        for (std::uint64_t subscriber = 0; subscriber < 3; ++subscriber) {
            witness.shown(subscriber, service,
                          {.states = std::array<std::uint32_t, 2>{1, 1}, .strangers = {}}, 1ms);
        }
    }
    EXPECT_THAT(witness.views().others, ElementsAre());
    const SetDigest before = witness.views().said;
    witness.said(1, 0, 2, 2ms);
    EXPECT_NE(witness.views().said, before);
    witness.shown(0, 1, {.states = std::array<std::uint32_t, 2>{2, 1}, .strangers = {}}, 3ms);
    EXPECT_THAT(witness.views().others, ElementsAre(1U, 2U));
    EXPECT_THAT(witness.views().difference,
                HasSubstr("subscriber 2 is shown state 1 of instance 1 of service 2, which said "
                          "state 2"));
    witness.shown(1, 1, {.states = std::array<std::uint32_t, 2>{2, 1}, .strangers = {}}, 3ms);
    witness.shown(
        2, 1, {.states = std::array<std::uint32_t, 2>{2, 1}, .strangers = digest_of("other")}, 3ms);
    EXPECT_THAT(witness.views().others, ElementsAre(2U));
    EXPECT_THAT(witness.views().difference, HasSubstr("that nobody published"));
}

}  // namespace
}  // namespace muster::cli::bench
