#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "model/service.h"
#include "model/trace.h"
#include "msg/propagation.h"

namespace muster::session {

// How long changes take from stage to stage on their way through this session: of all services, and
// of those an operator asked for, for a while. Loop thread only. Bounds: one histogram per stage,
// and as many for each of kServicesMax services; one more takes the place of the one whose time is
// over first.
class Stages {
public:
    static constexpr std::size_t kServicesMax = 16;

    void record(Stage stage, Duration took, const Service& service);
    // What another role counts among all services.
    void record_of_service(Stage stage, Duration took, const Service& service);

    // The service is measured from now on, at least until then; one that is goes on.
    void measure(const Service& service, MonoTime now, MonoTime until);
    // Forgets those whose time is over.
    void expire(MonoTime now);

    struct Measured {
        std::vector<msg::StageCounts> stages;
        MonoTime since;
    };
    // None: it is not measured.
    [[nodiscard]] std::optional<Measured> of(const Service& service) const;

    void write_metrics(MetricsWriter& writer) const;

private:
    using All = std::array<StageHistogram, kStages>;
    struct PerService {
        All stages;
        MonoTime since;
        MonoTime until;
    };

    All all_;
    std::map<std::string, PerService> services_;  // by data_info_id
};

}  // namespace muster::session
