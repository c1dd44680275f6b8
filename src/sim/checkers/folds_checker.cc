#include "sim/checkers/folds_checker.h"

#include <fmt/format.h>

namespace muster::sim {

void FoldsChecker::step() {
    for (Node* node : registry_.nodes(Role::session)) {
        const auto* session = node->session();
        if (allowed_ || session == nullptr || session->status().copies_differed == 0) {
            continue;
        }
        const std::string& name = node->plan().id.raw();
        truth_.report("I1 folded",
                      fmt::format("{} folded {} lists that were not what their leader has", name,
                                  session->status().copies_differed),
                      {name});
    }
}

}  // namespace muster::sim
