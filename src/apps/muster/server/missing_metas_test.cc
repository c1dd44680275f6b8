#include "apps/muster/server/missing_metas.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

TEST(MissingMetas, AreNamedWithTheirAddressesAndWhatToLookAt) {
    EXPECT_EQ(say_missing({}, 2), "linked with 2 of 2 other metas");
    EXPECT_EQ(say_missing({{"m1", "10.0.0.1:9610", {}}, {"m3", "10.0.0.3:9610", {}}}, 3),
              "linked with 1 of 3 other metas; no answer from m1 at 10.0.0.1:9610, m3 at "
              "10.0.0.3:9610: start what is not running, or correct the address in cluster.join "
              "(--join)");
}

TEST(MissingMetas, ThatRefuseAreToldApartFromThoseThatSayNothing) {
    EXPECT_EQ(say_missing({{"m1", "10.0.0.1:9610", runtime::RefusalReason::cluster},
                           {"m2", "10.0.0.2:9610", {}}},
                          2),
              "linked with 0 of 2 other metas; no answer from m2 at 10.0.0.2:9610: start what is "
              "not running, or correct the address in cluster.join (--join); no link with m1 at "
              "10.0.0.1:9610: link.refused or link.refused_by_peer in this log says why, and what "
              "to do");
}

TEST(MissingMetas, AreNamedUpToFive) {
    const std::vector<MissingMeta> many(9, {"m", "h:1", {}});
    EXPECT_NE(say_missing(many, 9).find("m at h:1, m at h:1 and 4 others: start"),
              std::string::npos);
}

}  // namespace
}  // namespace muster::cli
