#include "roles/client/apply_push.h"

#include <gtest/gtest.h>

#include "roles/client/test_world.h"

namespace muster::client::test {
namespace {

constexpr std::size_t kMany = 1000;

TEST(ApplyPush, TakesAWholeListAboveTheHeldVersion) {
    const auto result = apply_push(view({5, {"a", "b"}}), full({6, {"b", "c"}}), kMany);
    EXPECT_EQ(result.outcome, PushOutcome::applied);
    EXPECT_EQ(ids_of(result.view), (Ids{"b", "c"}));
    EXPECT_FALSE(result.digest_differs);
}

TEST(ApplyPush, NeverGoesBack) {
    const ServiceViewPtr held = view({5, {"a"}});
    EXPECT_EQ(apply_push(held, full({4, {"z"}}), kMany).outcome, PushOutcome::older);
    EXPECT_EQ(apply_push(held, delta({4, {"z"}}, {3, {"z"}, {}}), kMany).outcome,
              PushOutcome::older);
    EXPECT_EQ(apply_push(held, full({4, {"z"}}), kMany).view, held);
}

TEST(ApplyPush, TakesTheHeldVersionAsAConfirmation) {
    const ServiceViewPtr held = view({5, {"a"}});
    EXPECT_EQ(apply_push(held, full({5, {"a"}}), kMany).outcome, PushOutcome::confirmed);
    EXPECT_EQ(apply_push(held, delta({5, {"a"}}, {5, {}, {}}), kMany).outcome,
              PushOutcome::confirmed);
    EXPECT_EQ(apply_push(held, delta({5, {"a"}}, {4, {"a"}, {}}), kMany).outcome,
              PushOutcome::confirmed);
}

TEST(ApplyPush, RepairsAnotherContentOfTheHeldVersion) {
    const auto full_result = apply_push(view({5, {"a"}}), full({5, {"b"}}), kMany);
    EXPECT_EQ(full_result.outcome, PushOutcome::applied);
    EXPECT_EQ(ids_of(full_result.view), Ids{"b"});
    EXPECT_EQ(apply_push(view({5, {"a"}}), delta({5, {"b"}}, {4, {"b"}, {}}), kMany).outcome,
              PushOutcome::needs_full);
}

TEST(ApplyPush, AppliesADeltaFromTheHeldVersion) {
    const auto result = apply_push(view({5, {"a", "b", "d"}}),
                                   delta({6, {"a", "c", "d"}}, {5, {"c"}, {"b"}}), kMany);
    EXPECT_EQ(result.outcome, PushOutcome::applied);
    EXPECT_EQ(ids_of(result.view), (Ids{"a", "c", "d"}));
    EXPECT_EQ(result.view->digest, view({6, {"a", "c", "d"}})->digest);
    EXPECT_EQ(result.view->version, Version(6));
}

TEST(ApplyPush, WantsTheWholeListWhenADeltaDoesNotFit) {
    EXPECT_EQ(apply_push(nullptr, delta({6, {"a"}}, {5, {"a"}, {}}), kMany).outcome,
              PushOutcome::needs_full);
    EXPECT_EQ(apply_push(view({4, {"a"}}), delta({6, {"a"}}, {5, {"a"}, {}}), kMany).outcome,
              PushOutcome::needs_full);
    const ServiceViewPtr held = view({5, {"a", "forgotten"}});
    const auto result = apply_push(held, delta({6, {"a", "b"}}, {5, {"b"}, {}}), kMany);
    EXPECT_EQ(result.outcome, PushOutcome::needs_full) << "the digest tells";
    EXPECT_EQ(result.view, held);
}

TEST(ApplyPush, RemovesNothingBecauseOfAnIncompleteList) {
    const auto by_full = apply_push(view({5, {"a", "b"}}), full({6, {"b", "c"}, false}), kMany);
    EXPECT_EQ(ids_of(by_full.view), (Ids{"a", "b", "c"}));
    EXPECT_FALSE(by_full.view->complete);
    const auto by_delta =
        apply_push(view({5, {"a", "b"}}), delta({6, {"b", "c"}, false}, {5, {"c"}, {"a"}}), kMany);
    EXPECT_EQ(ids_of(by_delta.view), (Ids{"a", "b", "c"}));
    const auto then = apply_push(by_full.view, full({7, {"c"}}), kMany);
    EXPECT_EQ(ids_of(then.view), Ids{"c"}) << "a complete one does";
}

TEST(ApplyPush, CompletesAnIncompleteListOfTheSameVersion) {
    const ServiceViewPtr held = view({5, {"a", "b"}, false});
    const auto by_full = apply_push(held, full({5, {"a"}}), kMany);
    EXPECT_EQ(by_full.outcome, PushOutcome::applied);
    EXPECT_TRUE(by_full.view->complete);
    EXPECT_EQ(ids_of(by_full.view), Ids{"a"});
    const auto by_delta = apply_push(held, delta({5, {"a", "b"}}, {5, {}, {}}), kMany);
    EXPECT_EQ(by_delta.outcome, PushOutcome::applied);
    EXPECT_TRUE(by_delta.view->complete);
}

TEST(ApplyPush, KeepsTheNewerStateOfAnIdAgainstAnIncompleteList) {
    auto held = view({5, {}});
    held->publications = {publication("a", 9)};
    held->digest = digest_of_list(held->publications);
    const auto result = apply_push(held, full({6, {"a"}, false}), kMany);
    EXPECT_EQ(result.view->publications[0]->order.version, 9);
}

TEST(ApplyPush, TakesAnEmptyListAsAStatementOnlyWhenComplete) {
    EXPECT_TRUE(ids_of(apply_push(view({5, {"a"}}), full({6, {}}), kMany).view).empty());
    EXPECT_EQ(ids_of(apply_push(view({5, {"a"}}), full({6, {}, false}), kMany).view), Ids{"a"});
}

TEST(ApplyPush, RefusesListsOverTheLimit) {
    const ServiceViewPtr held = view({5, {"a"}});
    const auto result = apply_push(held, full({6, {"a", "b"}}), 1);
    EXPECT_EQ(result.outcome, PushOutcome::over_limit);
    EXPECT_EQ(result.view, held);
}

TEST(ApplyPush, TellsWhenTheServersDigestIsNotThatOfItsList) {
    auto push = full({6, {"a"}});
    auto wrong = std::make_shared<ServiceView>(*push.view);
    wrong->digest.low ^= 1;
    push.view = wrong;
    const auto result = apply_push(nullptr, push, kMany);
    EXPECT_TRUE(result.digest_differs);
    EXPECT_EQ(result.view->digest, view({6, {"a"}})->digest);
}

}  // namespace
}  // namespace muster::client::test
